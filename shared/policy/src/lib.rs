//! Decides one IAM request as AWS does.
