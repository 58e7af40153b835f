//! HTTP in front of the components, as Spin's trigger: one fresh instance per request, the `spin-*` headers behind the
//! client's own of the same names, an empty 500 for a guest that traps. No limit and no timeout: Spin has none either.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use hyper::header::{HOST, HeaderName, HeaderValue};
use hyper::http::uri::{Authority, Scheme};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, Uri};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::bindings::http::types::Scheme as GuestScheme;
use wasmtime_wasi_http::body::HyperOutgoingBody as Body;
use wasmtime_wasi_http::io::TokioIo;

use crate::app::App;
use crate::routes::{Route, WELL_KNOWN};

/// Answers until the listener fails.
pub async fn serve(app: Arc<App>, listener: TcpListener) -> Result<()> {
    loop {
        let (stream, client) = listener.accept().await.context("cannot accept a connection")?;
        tokio::spawn(connection(Arc::clone(&app), stream, client));
    }
}

async fn connection(app: Arc<App>, stream: TcpStream, client: SocketAddr) {
    let service = service_fn(|request| answer(Arc::clone(&app), request, client));
    if let Err(error) = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await {
        eprintln!("host: the connection of {client}: {error}");
    }
}

/// An error closes the connection: that is what Spin does without a usable `Host`.
async fn answer(app: Arc<App>, mut request: Request<Incoming>, client: SocketAddr) -> Result<Response<Body>> {
    let path = request.uri().path().to_owned();
    if let Some(page) = path.strip_prefix(WELL_KNOWN) {
        return Ok(match page {
            "health" => Response::new(whole(Full::from("OK"))),
            _ => status(StatusCode::NOT_FOUND),
        });
    }
    let Some((route, path_info)) = app.routes.find(&path) else {
        return Ok(status(StatusCode::NOT_FOUND));
    };
    make_absolute(&mut request)?;
    let id = route.component.clone();
    let answered = match add_spin_headers(&mut request, route, &path_info, client) {
        Ok(()) => ask(&app, &id, request).await,
        Err(error) => Err(error),
    };
    Ok(answered.unwrap_or_else(|error| {
        eprintln!("host: component {id}: {error:#}");
        status(StatusCode::INTERNAL_SERVER_ERROR)
    }))
}

fn whole(body: impl hyper::body::Body<Data = Bytes, Error = Infallible> + Send + 'static) -> Body {
    body.map_err(|never| match never {}).boxed_unsync()
}

fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(whole(Empty::new()));
    *response.status_mut() = status;
    response
}

/// Puts the authority, from the one place or the other, into the address of the request.
fn make_absolute(request: &mut Request<Incoming>) -> Result<()> {
    let mut parts = request.uri().clone().into_parts();
    let host = request.headers().get(HOST).map(|host| Authority::try_from(host.as_bytes())).transpose()?;
    let named = parts.authority.take();
    ensure!(
        host.is_none() || named.is_none() || host == named,
        "the address and the Host header name different hosts"
    );
    parts.authority = Some(named.or(host).context("no Host header")?);
    parts.scheme = Some(Scheme::HTTP);
    *request.uri_mut() = Uri::from_parts(parts)?;
    Ok(())
}

/// Appends what Spin tells a component about the request. What the client sent under these names stays in front of it.
fn add_spin_headers(
    request: &mut Request<Incoming>,
    route: &Route,
    path_info: &str,
    client: SocketAddr,
) -> Result<()> {
    for (name, value) in request.headers() {
        ensure!(std::str::from_utf8(value.as_bytes()).is_ok(), "the header {name} is not UTF-8");
    }
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let headers = [
        ("spin-path-info", path_info.to_owned()),
        ("spin-full-url", format!("http://{host}{path}")),
        ("spin-matched-route", route.based.clone()),
        ("spin-base-path", "/".to_owned()),
        ("spin-raw-component-route", route.raw.clone()),
        ("spin-component-route", route.prefix.clone()),
        ("spin-client-addr", client.to_string()),
    ];
    for (name, value) in headers {
        request.headers_mut().append(HeaderName::from_static(name), HeaderValue::try_from(value)?);
    }
    Ok(())
}

/// Runs a fresh instance. It runs on when the client goes away, and after its answer has begun.
async fn ask(app: &App, component: &str, request: Request<Incoming>) -> Result<Response<Body>> {
    let (mut store, proxy) = app.instantiate(component).await?;
    let (sender, receiver) = oneshot::channel();
    let request = store.data_mut().new_incoming_request(GuestScheme::Http, request)?;
    let outparam = store.data_mut().new_response_outparam(sender)?;
    let id = component.to_owned();
    let (failed, failure) = oneshot::channel();
    tokio::spawn(async move {
        let handled = proxy.wasi_http_incoming_handler().call_handle(&mut store, request, outparam).await;
        // Connections go back to their pool before the client can know that the request is over.
        drop(store);
        if let Err(error) = handled
            && let Err(error) = failed.send(error)
        {
            eprintln!("host: component {id}, after its answer had begun: {error:#}");
        }
    });
    match receiver.await {
        Ok(response) => Ok(response?),
        Err(_) => Err(match failure.await {
            // Without the frames: the components are stripped, so they have no names.
            Ok(trap) => anyhow!("{}", trap.root_cause()),
            Err(_) => anyhow!("it returned without an answer"),
        }),
    }
}
