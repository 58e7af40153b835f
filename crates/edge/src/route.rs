//! From a request to its handler, and from the handler's outcome to the answer and the log line.
//!
//! The order: is there such an address (`404`), does it know the method (`405`), does the request come from one of our
//! pages or from no page (`403 cross_site`), is its body short enough (`413`), what does the handler say. The SDK never
//! gets an error: it would send it to the client as it is, backtrace and all.

use futures::Stream;
use spin_sdk::http::IncomingRequest;

use crate::cross_site::{self, Verdict};
use crate::failure::Failure;
use crate::fault::Fault;
use crate::log;
use crate::problem::Problem;
use crate::public_url::PublicUrl;
use crate::request::{Head, Method, Request, read_body};
use crate::response::Response;
use crate::service::Service;

/// Answers a request.
pub type Handler = fn(&Service, &Request) -> Result<Response, Failure>;

/// An operation: a method at an address. The contract declares no `HEAD`, so there is none: a look at a session counts
/// as its use. A path may end with `/{id}`, which stands for one segment; a handler finds it in
/// [`Request::last_segment`].
pub struct Route {
    method: Method,
    path: &'static str,
    handler: Handler,
}

impl Route {
    /// A route.
    #[must_use]
    pub const fn new(method: Method, path: &'static str, handler: Handler) -> Self {
        Self { method, path, handler }
    }

    fn is_at(&self, path: &str) -> bool {
        let Some(parent) = self.path.strip_suffix(PARAMETER) else {
            return self.path == path;
        };
        path.rsplit_once('/').is_some_and(|(before, segment)| before == parent && !segment.is_empty())
    }
}

/// The end of a route's path that stands for any one segment.
const PARAMETER: &str = "/{id}";

/// Answers a request that Spin hands over, whatever it is.
pub async fn serve(
    component: &'static str,
    incoming: IncomingRequest,
    routes: &[Route],
) -> spin_sdk::http::Response {
    let service = Service::new();
    let path_with_query = incoming.path_with_query().unwrap_or_default();
    let head =
        Head::new(incoming.method().into(), &path_with_query, incoming.headers().entries().into_iter());
    let method = head.method;
    let public_url = || service.public_url();
    let (route, outcome) = answer(&service, head, incoming.into_body_stream(), routes, public_url).await;
    let response = outcome.unwrap_or_else(|failure| {
        report(component, method, route, &failure);
        failure.problem().to_response()
    });
    let is_https = service.public_url().is_ok_and(|url| url.is_https());
    response.finished(method == Method::Head, is_https).into_spin()
}

/// The answer, and the path of the route that it came from.
async fn answer<E>(
    service: &Service,
    head: Head,
    chunks: impl Stream<Item = Result<Vec<u8>, E>>,
    routes: &[Route],
    public_url: impl Fn() -> Result<PublicUrl, Fault>,
) -> (Option<&'static str>, Result<Response, Failure>) {
    let route = match find(routes, head.method, &head.path) {
        Ok(route) => route,
        Err((path, problem)) => return (path, Err(problem.into())),
    };
    let outcome = async {
        refuse_cross_site(&head, public_url)?;
        let body = read_body(&head, chunks).await?;
        (route.handler)(service, &Request::new(head, body))
    };
    (Some(route.path), outcome.await)
}

/// The route of a request, or `404` or `405` and the path that they are about.
fn find<'a>(
    routes: &'a [Route],
    method: Method,
    path: &str,
) -> Result<&'a Route, (Option<&'static str>, Problem)> {
    let mut known = None;
    let mut allowed = Vec::new();
    for route in routes.iter().filter(|route| route.is_at(path)) {
        if route.method == method {
            return Ok(route);
        }
        known = Some(route.path);
        allowed.push(route.method.name());
    }
    match known {
        None => Err((None, Problem::NotFound)),
        Some(_) => Err((known, Problem::MethodNotAllowed { allow: allowed.join(", ") })),
    }
}

fn refuse_cross_site(head: &Head, public_url: impl Fn() -> Result<PublicUrl, Fault>) -> Result<(), Failure> {
    let is_ours = match cross_site::judge(head) {
        Verdict::Pass => true,
        Verdict::Refuse => false,
        Verdict::PassFrom(origin) => public_url()?.origin() == origin,
    };
    if is_ours { Ok(()) } else { Err(Problem::CrossSite.into()) }
}

/// One line. The route is one of ours or `-`: a path as it was sent could hold anything.
fn report(component: &str, method: Method, route: Option<&str>, failure: &Failure) {
    let common = [("component", component), ("method", method.name()), ("route", route.unwrap_or("-"))];
    let [component, method, route] = common;
    match failure {
        Failure::Problem(problem) => {
            let status = problem.status().to_string();
            let fields = [component, method, route, ("status", &status[..]), ("code", problem.code())];
            log::write(log::Level::Info, &fields);
        }
        Failure::Fault(fault) => {
            log::write(log::Level::Error, &[component, method, route, ("fault", fault.sentence())]);
        }
    }
}

#[cfg(test)]
mod tests;
