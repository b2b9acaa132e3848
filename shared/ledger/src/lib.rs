//! Remembers every tenant, run, wait and limit in one DynamoDB table.
