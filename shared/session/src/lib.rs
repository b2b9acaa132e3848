//! Opens AWS sessions that can do no more than a step declares.
