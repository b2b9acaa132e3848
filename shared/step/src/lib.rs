//! What a step is: look, plan, act, and the permissions each half needs.
