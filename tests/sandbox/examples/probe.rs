//! A function that does as its event says, for the sandbox's own tests; it speaks the Runtime API
//! with nothing but a socket.

use std::env;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::exit;
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

fn main() -> io::Result<()> {
    let api = env::var("AWS_LAMBDA_RUNTIME_API").unwrap_or_default();
    let runtime = format!("{api}/2018-06-01/runtime/invocation");
    loop {
        let (head, event) = request("GET", &format!("{runtime}/next"), "", "")?;
        let id = header(&head, "lambda-runtime-aws-request-id");
        let event: Value = serde_json::from_str(&event)?;
        let (kind, answer) = perform(&event);
        request("POST", &format!("{runtime}/{id}/{kind}"), "", &answer.to_string())?;
    }
}

fn perform(event: &Value) -> (&'static str, Value) {
    if let Some(milliseconds) = event.get("sleep").and_then(Value::as_u64) {
        sleep(Duration::from_millis(milliseconds));
    }
    if let Some(code) = event.get("exit").and_then(Value::as_i64) {
        exit(i32::try_from(code).unwrap_or(1));
    }
    if let Some(error) = event.get("fail") {
        return ("error", error.clone());
    }
    if let Some(name) = event.get("variable").and_then(Value::as_str) {
        return ("response", json!(env::var(name).ok()));
    }
    if let Some(calls) = event.get("calls").and_then(Value::as_array) {
        let made: Vec<_> = calls.iter().map(call).collect();
        return ("response", json!(made));
    }
    ("response", json!({"pid": std::process::id(), "event": event}))
}

/// Calls AWS, with a signature that names service and key, and tells status and body.
fn call(wanted: &Value) -> Value {
    let text = |name: &str| wanted.get(name).and_then(Value::as_str).unwrap_or_default();
    let key = env::var("AWS_ACCESS_KEY_ID").unwrap_or_default();
    let key = wanted.get("key").and_then(Value::as_str).unwrap_or(&key);
    let service = text("service");
    let mut headers = format!(
        "authorization: AWS4-HMAC-SHA256 Credential={key}/20261122/eu-central-1/{service}/\
         aws4_request, SignedHeaders=host, Signature=0\r\n"
    );
    if !text("target").is_empty() {
        headers = format!("{headers}x-amz-target: {}\r\n", text("target"));
    }
    let endpoint = env::var("AWS_ENDPOINT_URL").unwrap_or_default();
    match request("POST", &format!("{endpoint}/"), &headers, text("body")) {
        Ok((head, body)) => {
            let status = head.split(' ').nth(1).and_then(|status| status.parse::<u16>().ok());
            json!({"status": status, "body": body})
        }
        Err(_) => json!("lost"),
    }
}

fn request(method: &str, url: &str, headers: &str, body: &str) -> io::Result<(String, String)> {
    let rest = url.trim_start_matches("http://");
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut stream = TcpStream::connect(host)?;
    write!(
        stream,
        "{method} /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{headers}\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    Ok((head.to_owned(), body.to_owned()))
}

fn header(head: &str, name: &str) -> String {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    let found = lines.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    found.fold("", |_, value| value).to_owned()
}
