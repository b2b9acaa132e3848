//! stub

use step::{Permission, Site};

/// What checking a platform or landing zone against AWS needs to be allowed.
pub const PERMISSIONS: &[Permission] = &[
    Permission::look(
        Site::Management,
        "organizations:DescribeOrganizationalUnit",
        "arn:${Partition}:organizations::${Management}:ou/o-*/ou-*",
    ),
    Permission::look(Site::Management, "organizations:DescribeOrganization", "*"),
    Permission::look(Site::Management, "organizations:ListRoots", "*"),
    Permission::look(
        Site::Automation,
        "cloudformation:DescribeStackSet",
        "arn:${Partition}:cloudformation:${Region}:${Automation}:stackset/*",
    ),
];
