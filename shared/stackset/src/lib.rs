//! Talks to CloudFormation about StackSets, their instances and operations.
