//! Starts, stops and wakes executions of Step Functions.
