//! A stand-in for moto, and the real gateway in front of it.

use std::collections::HashMap;
use std::convert::Infallible;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use sandbox::moto::{Answer, Moto};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

/// Account in which everything of these tests is.
pub const ACCOUNT: &str = "123456789012";

/// What stands in for moto: a deployment, sessions for every role, and `{}` for the rest.
#[derive(Debug, Default)]
pub struct Stand {
    pub deployment: Mutex<Value>,
    pub calls: AtomicU64,
    pub answers: Mutex<HashMap<String, (u16, String)>>,
    pub roles: Mutex<HashMap<String, Value>>,
    pub letters: Mutex<Vec<Value>>,
}

impl Stand {
    async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let form = String::from_utf8_lossy(&body).into_owned();
        let target = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
        let (status, text) = match (parts.uri.path(), target) {
            ("/landfall/deployment", _) => (200, self.deployment.lock().to_string()),
            ("/landfall/role", _) => {
                let arn = sandbox::wire::parameter(parts.uri.query().unwrap(), "arn").unwrap();
                (200, self.role(&arn).to_string())
            }
            ("/landfall/letter", _) => {
                self.letters.lock().push(serde_json::from_str(&form).unwrap());
                (200, "{}".to_owned())
            }
            (path, _) if path.starts_with("/landfall/") => (404, "null".to_owned()),
            (_, Some(target)) => {
                self.calls.fetch_add(1, Ordering::SeqCst);
                let operation = target.rsplit('.').next().unwrap();
                let known = self.answers.lock().get(operation).cloned();
                known.unwrap_or((200, "{}".to_owned()))
            }
            _ if form.contains("Action=AssumeRole") => (200, self.session(&form)),
            _ => (200, "<Ok/>".to_owned()),
        };
        let mut response = Response::new(Full::new(Bytes::from(text)));
        *response.status_mut() = status.try_into().unwrap();
        Ok(response)
    }

    /// A role as told by the test, or one that may do everything and is trusted by all.
    fn role(&self, arn: &str) -> Value {
        let all = json!({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
        let trust = json!({"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"AWS": "*", "Service": ["events.amazonaws.com"]}}]});
        let known = self.roles.lock().get(arn).cloned();
        known.unwrap_or_else(|| {
            json!({"exists": true, "account": arn.split(':').nth(4), "identity": [all],
                   "trust": trust})
        })
    }

    fn session(&self, form: &str) -> String {
        let number = self.calls.fetch_add(1, Ordering::SeqCst);
        let role = sandbox::wire::parameter(form, "RoleArn").unwrap();
        let account = role.split(':').nth(4).unwrap();
        let name = role.rsplit('/').next().unwrap();
        format!(
            "<AssumeRoleResponse><AssumeRoleResult><Credentials>\
             <AccessKeyId>ASIA{number}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>\
             <SessionToken>token</SessionToken></Credentials><AssumedRoleUser>\
             <Arn>arn:aws:sts::{account}:assumed-role/{name}/s</Arn></AssumedRoleUser>\
             </AssumeRoleResult></AssumeRoleResponse>"
        )
    }
}

/// A running gateway with its stand-in.
pub struct World {
    pub stand: Arc<Stand>,
    pub child: Child,
    pub client: Moto,
    moto: String,
}

/// A function of the deployment.
pub fn function(name: &str, changes: &Value) -> Value {
    let mut function = json!({
        "name": name,
        "arn": arn(name),
        "account": ACCOUNT,
        "region": "eu-central-1",
        "role_arn": format!("arn:aws:iam::{ACCOUNT}:role/{name}"),
        "environment": {"LANDFALL_TABLE": "ledger"},
        "timeout": 30,
        "memory": 128,
        "reserved_concurrency": null,
        "policy": null,
    });
    for (key, value) in changes.as_object().into_iter().flatten() {
        function[key] = value.clone();
    }
    function
}

/// A function policy that lets API Gateway in.
pub fn open_to_apis() -> Value {
    json!({"policy": {"Statement": [{
        "Effect": "Allow",
        "Principal": {"Service": "apigateway.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": "*",
        "Condition": {"ArnLike": {"AWS:SourceArn": "arn:aws:execute-api:*:*:api1/*/*"}},
    }]}})
}

/// The ARN of a function.
pub fn arn(name: &str) -> String {
    format!("arn:aws:lambda:eu-central-1:{ACCOUNT}:function:{name}")
}

impl World {
    /// A gateway with this deployment, at a speed at which a minute is half a second.
    pub async fn with(deployment: Value) -> Self {
        let stand = Arc::new(Stand { deployment: Mutex::new(deployment), ..Stand::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let moto = listener.local_addr().unwrap();
        tokio::spawn(serve(Arc::clone(&stand), listener));
        let mut child = Command::new(env!("CARGO_BIN_EXE_landfall-sandbox"))
            .args(["--speed", "120", "--moto", &moto.to_string()])
            .arg("--binaries")
            .arg(examples())
            // It ends, and takes its files away, when this closes with the world.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready: Value =
            serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
        let authority = ready["endpoint"].as_str().unwrap().trim_start_matches("http://");
        let client = Moto::at(authority);
        Self { stand, child, client, moto: moto.to_string() }
    }

    /// A gateway with the probe as its only function.
    pub async fn with_probe(changes: Value) -> Self {
        Self::with(json!({"functions": [function("landfall-probe", &changes)], "version": 1})).await
    }

    /// A client of the stand-in itself.
    pub fn stand_in(&self) -> Moto {
        Moto::at(&self.moto)
    }

    /// Any request.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&'static str, &str)],
        body: &str,
    ) -> Answer {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let body = Bytes::from(body.to_owned());
        self.client.forward(&method, &path.parse().unwrap(), &map, body).await.unwrap()
    }

    /// Invokes a function as a state machine's interpreter does.
    pub async fn invoke(&self, name: &str, payload: &Value) -> Answer {
        let path = format!("/2015-03-31/functions/{name}/invocations");
        let headers = [("authorization", signature("SFN.replicate-tenant", "lambda"))];
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.send(Method::POST, &path, &headers, &payload.to_string()).await
    }

    /// A document of the control API.
    pub async fn control(&self, method: Method, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = self.send(method, &format!("/_landfall/{path}"), &[], &body).await;
        assert!(answer.status().is_success(), "{path}: {answer:?}");
        serde_json::from_slice(answer.body()).unwrap()
    }

    /// The call log as soon as it has what is waited for.
    pub async fn until(&self, enough: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let started = Instant::now();
        loop {
            let log = self.log().await;
            if enough(&log) {
                return log;
            }
            assert!(started.elapsed() < Duration::from_secs(10), "never: {log:#?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The call log so far.
    pub async fn log(&self) -> Vec<Value> {
        let answer = self.send(Method::GET, "/_landfall/log", &[], "").await;
        let text = String::from_utf8_lossy(answer.body()).into_owned();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// The body of an answer as a document.
pub fn body(answer: &Answer) -> Value {
    serde_json::from_slice(answer.body()).unwrap()
}

/// An `Authorization` header that names a key and a service.
pub fn signature(key: &str, service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={key}/20261122/eu-central-1/{service}/aws4_request, \
         SignedHeaders=host, Signature=0"
    )
}

fn examples() -> PathBuf {
    let binary = PathBuf::from(env!("CARGO_BIN_EXE_landfall-sandbox"));
    binary.parent().unwrap().join("examples")
}

async fn serve(stand: Arc<Stand>, listener: TcpListener) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let stand = Arc::clone(&stand);
        tokio::spawn(async move {
            let service = service_fn(move |request| Arc::clone(&stand).answer(request));
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
