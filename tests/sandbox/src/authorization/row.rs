//! What a row of the table of operations can say.

/// One operation: what IAM is asked when it is called.
pub(super) struct Row {
    /// The operation's name in the service's API.
    pub operation: &'static str,
    /// Whether the operation changes something at AWS; taking a session does not.
    pub write: bool,
    /// Whether AWS never asks IAM about it.
    pub free: bool,
    /// Method and path for services that speak REST.
    pub route: &'static str,
    /// The IAM action, if its name is not the operation's; `None` asks only for `also`.
    pub action: Option<&'static str>,
    /// Templates of the resources, each of which is asked about; empty means `*`.
    pub resources: &'static [&'static str],
    /// The condition keys that the request fills.
    pub keys: &'static [Key],
    /// Further actions, such as passing a role.
    pub also: &'static [Also],
    /// The action that tags on creation ask for in addition.
    pub tagging: &'static str,
    /// The list or map whose elements are asked about one by one.
    pub each: &'static str,
}

/// An action that is asked about when the request has the member `when`.
pub(super) struct Also {
    pub when: &'static str,
    pub action: &'static str,
    pub resource: &'static str,
    pub keys: &'static [Key],
}

/// A condition key and where its values are in the request.
pub(super) enum Key {
    /// One value, by a template.
    One(&'static str, &'static str),
    /// Any number of values, by a template.
    Many(&'static str, &'static str),
    /// Tags as pairs or as a map: `aws:RequestTag/…` and `aws:TagKeys`.
    Tags(&'static str),
    /// Names of tags: `aws:TagKeys`.
    TagKeys(&'static str),
    /// The partition key of an item or key: `dynamodb:LeadingKeys`.
    Leading(&'static str),
    /// The partition key of a key condition expression: `dynamodb:LeadingKeys`.
    LeadingQuery,
}

/// An operation that changes nothing.
pub(super) const fn read(operation: &'static str) -> Row {
    Row {
        operation,
        write: false,
        free: false,
        route: "",
        action: Some(""),
        resources: &[],
        keys: &[],
        also: &[],
        tagging: "",
        each: "",
    }
}

/// An operation that changes something.
pub(super) const fn write(operation: &'static str) -> Row {
    let mut row = read(operation);
    row.write = true;
    row
}

/// An action that is asked about when the request has `when`.
pub(super) const fn also(
    when: &'static str,
    action: &'static str,
    resource: &'static str,
    keys: &'static [Key],
) -> Also {
    Also { when, action, resource, keys }
}

/// The role in member `role` is passed to `service`.
macro_rules! passes {
    ($role:literal, $service:literal) => {
        also(
            $role,
            "iam:PassRole",
            concat!("{", $role, "}"),
            &[One("iam:PassedToService", $service)],
        )
    };
}
pub(super) use passes;

impl Row {
    /// The resources are these.
    pub(super) const fn on(mut self, resources: &'static [&'static str]) -> Self {
        self.resources = resources;
        self
    }

    /// The request fills these condition keys.
    pub(super) const fn keys(mut self, keys: &'static [Key]) -> Self {
        self.keys = keys;
        self
    }

    /// The action has another name than the operation.
    pub(super) const fn named(mut self, action: &'static str) -> Self {
        self.action = Some(action);
        self
    }

    /// Only the further actions are asked about.
    pub(super) const fn only(mut self, also: &'static [Also]) -> Self {
        self.action = None;
        self.also = also;
        self
    }

    /// These actions are asked about as well.
    pub(super) const fn also(mut self, also: &'static [Also]) -> Self {
        self.also = also;
        self
    }

    /// Tags in the request need this action as well.
    pub(super) const fn tagging(mut self, action: &'static str) -> Self {
        self.tagging = action;
        self
    }

    /// Every element of this member is asked about by itself.
    pub(super) const fn each(mut self, member: &'static str) -> Self {
        self.each = member;
        self
    }

    /// The operation's method and path.
    pub(super) const fn at(mut self, route: &'static str) -> Self {
        self.route = route;
        self
    }

    /// AWS never asks IAM about it.
    pub(super) const fn free(mut self) -> Self {
        self.free = true;
        self
    }

    /// The labels of the path if method, path and query fit the row's route.
    pub(super) fn labels(
        &self,
        method: &str,
        path: &str,
        query: &str,
    ) -> Option<Vec<(String, String)>> {
        let (wanted, route) = self.route.split_once(' ')?;
        let (route, key) = route.split_once('?').unwrap_or((route, ""));
        let has_key = || query.split('&').any(|pair| pair.split('=').next() == Some(key));
        if wanted != method || !(key.is_empty() || has_key()) {
            return None;
        }
        let mut labels = Vec::new();
        let mut rest = path.trim_start_matches('/').trim_end_matches('/');
        let mut segments = route.trim_start_matches('/').split('/').peekable();
        while let Some(segment) = segments.next() {
            let (found, after) = match segments.peek() {
                Some(_) => rest.split_once('/')?,
                None => (rest, ""),
            };
            let label = segment.strip_prefix('{').and_then(|label| label.strip_suffix('}'));
            match label.map(|label| (label.trim_end_matches('+'), label.ends_with('+'))) {
                None if segment != found => return None,
                None => {}
                Some((_, false)) if found.is_empty() || found.contains('/') => return None,
                Some((_, true)) if found.is_empty() => return None,
                Some((label, _)) => {
                    labels.push((label.to_owned(), super::members::decoded(found)));
                }
            }
            rest = after;
        }
        Some(labels)
    }
}
