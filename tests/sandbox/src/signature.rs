//! Checks a request's Signature Version 4, for keys whose secret the sandbox knows.

use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use http::header;
use http::request::Parts;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};

use crate::wire::decoded;

/// What stays as it is in a canonical query.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What stays as it is in a canonical path.
const ESCAPED_IN_PATH: &AsciiSet = &ESCAPED.remove(b'/');

/// Whether the `Authorization` header is what `secret` makes of the request.
pub fn is_valid(parts: &Parts, body: &[u8], secret: &str) -> bool {
    let path = parts.uri.path();
    let twice = utf8_percent_encode(path, ESCAPED_IN_PATH).to_string();
    // Most services expect the path to be encoded once more, but not all clients do it.
    [twice.as_str(), path].into_iter().any(|path| {
        let expected = expected(parts, path, body, secret);
        expected.is_some() && expected.as_deref() == field(parts, "Signature")
    })
}

/// The signature that `secret` makes of a request with this canonical path.
pub fn expected(parts: &Parts, path: &str, body: &[u8], secret: &str) -> Option<String> {
    let signed = field(parts, "SignedHeaders")?;
    let scope = field(parts, "Credential")?.rsplitn(5, '/').take(4).collect::<Vec<_>>();
    let [terminator, service, region, date] = scope.as_slice() else { return None };
    let time = parts.headers.get("x-amz-date")?.to_str().ok()?;
    let headers = canonical_headers(parts, signed)?;
    let payload = parts.headers.get("x-amz-content-sha256").and_then(|hash| hash.to_str().ok());
    let payload = payload.map_or_else(|| hex(&Sha256::digest(body)), str::to_owned);
    let query = canonical_query(parts.uri.query().unwrap_or_default());
    let method = &parts.method;
    let request = format!("{method}\n{path}\n{query}\n{headers}\n{signed}\n{payload}");
    let hash = hex(&Sha256::digest(request.as_bytes()));
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{date}/{region}/{service}/{terminator}\n{hash}");
    let key = format!("AWS4{secret}").into_bytes();
    let key = [*date, region, service, terminator]
        .iter()
        .fold(key, |key, part| mac(&key, part.as_bytes()));
    Some(hex(&mac(&key, text.as_bytes())))
}

fn field<'a>(parts: &'a Parts, name: &str) -> Option<&'a str> {
    let authorization = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (_, rest) = authorization.split_once(&format!("{name}="))?;
    rest.split(',').next().map(str::trim)
}

fn canonical_headers(parts: &Parts, signed: &str) -> Option<String> {
    let mut headers = String::new();
    for name in signed.split(';') {
        let values: Option<Vec<_>> = parts
            .headers
            .get_all(name)
            .iter()
            .map(|value| {
                Some(value.to_str().ok()?.split_whitespace().collect::<Vec<_>>().join(" "))
            })
            .collect();
        let values = values.filter(|values| !values.is_empty())?;
        let _ = writeln!(headers, "{name}:{}", values.join(","));
    }
    Some(headers)
}

fn canonical_query(query: &str) -> String {
    let encoded = |text: &str| utf8_percent_encode(&decoded(text), ESCAPED).to_string();
    let mut pairs: Vec<_> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
        .collect();
    pairs.sort();
    pairs.join("&")
}

fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    match Hmac::<Sha256>::new_from_slice(key) {
        Ok(mut mac) => {
            mac.update(text);
            mac.finalize().into_bytes().to_vec()
        }
        Err(_) => Vec::new(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    /// The first example of AWS's own test suite, `get-vanilla`, and one with a query.
    fn example(query: &str, signature: &str) -> Parts {
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date, Signature={signature}"
        );
        let request = Request::get(format!("/{query}"))
            .header("host", "example.amazonaws.com")
            .header("x-amz-date", "20150830T123600Z")
            .header("authorization", authorization)
            .body(())
            .unwrap();
        request.into_parts().0
    }

    #[test]
    fn the_examples_of_aws_are_valid() {
        let plain = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
        assert!(is_valid(&example("", plain), b"", SECRET));
        let ordered = "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500";
        assert!(is_valid(&example("?Param2=value2&Param1=value1", ordered), b"", SECRET));
    }

    #[test]
    fn another_secret_body_or_query_is_not() {
        let plain = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
        assert!(!is_valid(&example("", plain), b"", "other"));
        assert!(!is_valid(&example("", plain), b"body", SECRET));
        assert!(!is_valid(&example("?a=b", plain), b"", SECRET));
    }
}
