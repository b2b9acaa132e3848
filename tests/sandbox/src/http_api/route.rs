//! Which route of an HTTP API a request takes.

use std::collections::BTreeMap;

use crate::deployment::Route;
use crate::wire::decoded;

/// The most specific route for a method and path, with its path parameters.
pub fn best<'a>(
    routes: &'a [Route],
    method: &str,
    path: &str,
) -> Option<(&'a Route, BTreeMap<String, String>)> {
    routes
        .iter()
        .filter(|route| route.method == method || route.method == "ANY")
        .filter_map(|route| Some((route, parameters(&route.path, path)?)))
        .max_by_key(|(route, _)| rank(route))
}

/// `$default` comes last, greedy before it; then literal segments count, then an exact method.
fn rank(route: &Route) -> (bool, bool, usize, bool) {
    let greedy = route.path.contains("+}");
    let literal = segments(&route.path).filter(|segment| !segment.starts_with('{')).count();
    (route.path != "$default", !greedy, literal, route.method != "ANY")
}

fn parameters(template: &str, path: &str) -> Option<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    if template == "$default" {
        return Some(found);
    }
    let mut rest = segments(path);
    for wanted in segments(template) {
        let name = wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}'));
        match name {
            Some(name) if name.ends_with('+') => {
                let all: Vec<_> = rest.by_ref().collect();
                if all.is_empty() {
                    return None;
                }
                found.insert(name.trim_end_matches('+').to_owned(), decoded(&all.join("/")));
            }
            Some(name) => {
                found.insert(name.to_owned(), decoded(rest.next()?));
            }
            None if rest.next()? == wanted => {}
            None => return None,
        }
    }
    rest.next().is_none().then_some(found)
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.trim_matches('/').split('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(method: &str, path: &str) -> Route {
        Route { method: method.into(), path: path.into(), ..Route::default() }
    }

    #[test]
    fn the_most_specific_route_wins() {
        let routes = [
            route("GET", "/workspaces/{workspace}/{kind}"),
            route("GET", "/workspaces/{workspace}/tenants"),
            route("ANY", "/{proxy+}"),
            route("ANY", "$default"),
        ];
        let path_of = |method, path| best(&routes, method, path).map(|(route, _)| &*route.path);
        assert_eq!(
            path_of("GET", "/workspaces/w/tenants"),
            Some("/workspaces/{workspace}/tenants")
        );
        assert_eq!(path_of("GET", "/workspaces/w/plans"), Some("/workspaces/{workspace}/{kind}"));
        assert_eq!(path_of("PUT", "/workspaces/w/plans"), Some("/{proxy+}"));
    }

    #[test]
    fn path_parameters_are_decoded() {
        let routes = [route("PUT", "/platforms/{name}")];
        let (_, parameters) = best(&routes, "PUT", "/platforms/a%20b").unwrap();
        assert_eq!(parameters["name"], "a b");
        assert!(best(&routes, "PUT", "/platforms").is_none());
    }
}
