//! Which route an address belongs to. As in Spin: an exact route beats a wildcard, the longer wildcard beats the shorter
//! one, `/a/...` is also good for `/a`, and slashes at the end do not count.
//!
//! The matching is that of Spin's own library; what is here is how Spin uses it, without named segments (`/:id`).

use anyhow::{Result, anyhow, ensure};

use crate::manifest::HttpTrigger;

/// The addresses that Spin answers itself.
pub const WELL_KNOWN: &str = "/.well-known/spin/";

/// All routes of the application.
pub struct Routes(routefinder::Router<Route>);

/// One route of the manifest.
#[derive(Debug, Clone)]
pub struct Route {
    /// As it is written.
    pub raw: String,
    /// Without a slash at the end.
    pub based: String,
    /// As it is written, without `/...`.
    pub prefix: String,
    /// The id of the component.
    pub component: String,
}

impl Routes {
    /// Reads the routes of a manifest.
    pub fn new(triggers: &[HttpTrigger]) -> Result<Self> {
        let mut router = routefinder::Router::new();
        for HttpTrigger { route, component } in triggers {
            let based = route.strip_suffix('/').unwrap_or(route).to_owned();
            let prefix = route.strip_suffix("/...").unwrap_or(route).to_owned();
            ensure!(
                route.starts_with('/') && !prefix.contains(['*', ':']) && !prefix.contains("..."),
                "the route {route:?} is not supported"
            );
            ensure!(!route.starts_with(WELL_KNOWN), "the route {route:?} is one of Spin's own");
            let pattern =
                based.strip_suffix("/...").map_or_else(|| based.clone(), |below| format!("{below}/*"));
            let handler = Route { raw: route.clone(), based, prefix, component: component.clone() };
            router.add(pattern, handler).map_err(|why| anyhow!("the route {route:?}: {why}"))?;
        }
        Ok(Self(router))
    }

    /// The route of a path, and the part of the path that its wildcard stands for.
    pub fn find(&self, path: &str) -> Option<(&Route, String)> {
        let found = self.0.best_match(path)?;
        let captures = found.captures();
        let mut path_info = String::new();
        if let Some(below) = captures.wildcard() {
            if !below.is_empty() {
                path_info = format!("/{below}");
            }
            // The library drops it, and Spin puts it back.
            if path.ends_with('/') {
                path_info.push('/');
            }
        }
        Some((found.handler(), path_info))
    }
}

#[cfg(test)]
mod tests {
    use super::Routes;
    use crate::manifest::HttpTrigger;

    fn routes(routes: &[&str]) -> Routes {
        let trigger = |route: &&str| HttpTrigger { route: route.to_string(), component: "c".into() };
        Routes::new(&routes.iter().map(trigger).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn an_exact_route_beats_a_wildcard_and_a_long_wildcard_a_short_one() {
        let routes = routes(&["/...", "/api/...", "/api/a", "/api/b/..."]);
        for (path, route, path_info) in [
            ("/", "/...", "/"),
            ("/x.html", "/...", "/x.html"),
            ("/apis", "/...", "/apis"),
            ("/api", "/api/...", ""),
            ("/api/", "/api/...", "/"),
            ("/api/a", "/api/a", ""),
            ("/api/a/", "/api/a", ""),
            ("/api/a/b", "/api/...", "/a/b"),
            ("/api/b", "/api/b/...", ""),
            ("/api/b/c/d/", "/api/b/...", "/c/d/"),
        ] {
            let (found, info) = routes.find(path).unwrap();
            assert_eq!((found.raw.as_str(), info.as_str()), (route, path_info), "{path}");
        }
    }

    #[test]
    fn without_a_route_for_everything_some_paths_have_none() {
        let routes = routes(&["/a", "/b/..."]);
        assert!(routes.find("/").is_none());
        assert!(routes.find("/a/b").is_none());
        assert!(routes.find("/bc").is_none());
    }

    #[test]
    fn routes_of_another_kind_are_refused_by_name() {
        for route in ["/a/:id", "/a/*", "a", "/.../a", "/.well-known/spin/health"] {
            let trigger = HttpTrigger { route: route.into(), component: "c".into() };
            let refusal = Routes::new(&[trigger]).err().unwrap().to_string();
            assert!(refusal.contains(route), "{refusal}");
        }
    }
}
