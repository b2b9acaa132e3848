"""What Landfall promises, judged by clients that are not ours: boto3 and the AWS CLI."""
