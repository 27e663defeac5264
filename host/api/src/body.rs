//! Bodies: read with a limit and a deadline, then parsed.
//!
//! Enters: request bodies. Leaves: bytes, connector configurations. Invariant: nothing is kept of a body that is too
//! large; scalars become text exactly as they were written, null stays null.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use indexmap::IndexMap;
use lockgate_supervisor::view::{CreateConnector, OffsetChange, TargetState};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::answer::Refusal;
use crate::strict;

/// Bytes of a JSON body at most.
pub const JSON_BYTES_MAX: usize = 4 << 20;

/// How long a body may take to arrive.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(90);

/// How long a body that is refused may go on arriving: clients that send before they listen then see why.
const DISCARD_TIMEOUT: Duration = Duration::from_secs(10);

/// Reads a body of at most `max` bytes; `named` says what it is and which setting bounds it.
pub async fn read(headers: &HeaderMap, body: Body, max: usize, named: &str) -> Result<Bytes, Refusal> {
    let too_large = || {
        Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, format!("{named} is too large: it may have at most {max} bytes"))
    };
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|bytes| bytes > max as u64) {
        discard(body).await;
        return Err(too_large());
    }
    let read = tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, max).collect()).await;
    match read {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(error)) => Err(Refusal::bad_request(format!("the body could not be read: {error}"))),
        Err(_) => Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "the body did not arrive within 90 seconds")),
    }
}

async fn discard(mut body: Body) {
    let all = async { while body.frame().await.is_some_and(|frame| frame.is_ok()) {} };
    drop(tokio::time::timeout(DISCARD_TIMEOUT, all).await); // late or not: the answer is the same
}

/// A connector's configuration: one JSON object of scalars.
pub fn config(bytes: &[u8]) -> Result<IndexMap<String, Option<String>>, Refusal> {
    let raw: IndexMap<String, Box<RawValue>> = parse(bytes)?;
    scalars(raw)
}

/// The body of `POST /connectors`.
pub fn create(bytes: &[u8]) -> Result<CreateConnector, Refusal> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Create {
        #[serde(default)]
        name: Option<String>,
        config: IndexMap<String, Box<RawValue>>,
        #[serde(default)]
        initial_state: Option<String>,
    }
    let create: Create = parse(bytes)?;
    // As Java trims: control characters are blanks at the ends of a name, and nowhere else.
    let name = create.name.unwrap_or_default().trim_matches(|c| c <= ' ').to_owned();
    let initial_state = create.initial_state.map(|text| initial_state(&text)).transpose()?;
    Ok(CreateConnector { name, config: scalars(create.config)?, initial_state })
}

/// The body of `PATCH /connectors/C/offsets`.
pub fn offsets(bytes: &[u8]) -> Result<Vec<OffsetChange>, Refusal> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Alter {
        #[serde(default)]
        offsets: Option<Vec<OffsetChange>>,
    }
    let offsets = parse::<Alter>(bytes)?.offsets.filter(|offsets| !offsets.is_empty());
    let missing = "Partitions / offsets need to be provided for an alter offsets request";
    offsets.ok_or_else(|| Refusal::bad_request(missing))
}

/// The body of `PUT /admin/loggers/L`.
pub fn level(bytes: &[u8]) -> Result<String, Refusal> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wanted {
        #[serde(default)]
        level: Option<String>,
    }
    let missing = || Refusal::bad_request("Desired 'level' parameter was not specified in request.");
    parse::<Wanted>(bytes)?.level.ok_or_else(missing)
}

fn initial_state(text: &str) -> Result<TargetState, Refusal> {
    let state = TargetState::parse(text).filter(|_| !text.eq_ignore_ascii_case("STARTED"));
    state.ok_or_else(|| Refusal::bad_request(format!("initial_state is {text:?}; allowed: RUNNING, PAUSED, STOPPED")))
}

/// A JSON body of this shape, without repeated keys.
pub fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Refusal> {
    let refuse = |why: String| Refusal::bad_request(format!("the body is not what is needed: {why}"));
    strict::check(bytes).map_err(refuse)?;
    serde_json::from_slice(bytes).map_err(|e| refuse(e.to_string()))
}

/// The scalars of an object as text.
pub fn scalars(raw: IndexMap<String, Box<RawValue>>) -> Result<IndexMap<String, Option<String>>, Refusal> {
    raw.into_iter().map(|(key, value)| Ok((key.clone(), scalar(&key, value.get())?))).collect()
}

fn scalar(key: &str, json: &str) -> Result<Option<String>, Refusal> {
    let refuse = |what: &str| {
        Refusal::bad_request(format!("the value of {key} is {what}; a string, number, boolean or null is needed"))
    };
    match json.as_bytes().first() {
        Some(b'"') => serde_json::from_str(json).map(Some).map_err(|_| refuse("not a valid string")),
        Some(b'{') => Err(refuse("an object")),
        Some(b'[') => Err(refuse("an array")),
        Some(b'n') => Ok(None),
        _ => Ok(Some(json.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_become_text_as_written_and_null_stays() {
        let config = config(br#"{"a": 1, "b": 1.50, "c": true, "d": null, "e": "x\n"}"#).unwrap();
        let values: Vec<_> = config.values().map(Option::as_deref).collect();
        assert_eq!(values, [Some("1"), Some("1.50"), Some("true"), None, Some("x\n")]);
    }

    #[test]
    fn a_created_connector_has_a_trimmed_name_and_a_state_in_any_case() {
        let created = create(br#"{"name": " c\u0007\n", "config": {}}"#).unwrap();
        assert_eq!(created.name, "c");
        let created = create(br#"{"name": " c ", "config": {}, "initial_state": "paused"}"#).unwrap();
        assert_eq!((created.name.as_str(), created.initial_state), ("c", Some(TargetState::Paused)));
        assert_eq!(create(br#"{"name": null, "config": {}}"#).unwrap().name, "");
    }

    #[test]
    fn what_kafka_connect_answers_with_500_is_a_400_that_says_why() {
        let cases: [(&[u8], &str); 8] = [
            (b"", "empty"),
            (b"{", "EOF"),
            (b"[]", "expected"),
            (b"null", "expected"),
            (br#"{"name":"a"}"#, "missing field `config`"),
            (br#"{"name":"a","config":{},"colour":1}"#, "unknown field `colour`"),
            (br#"{"name":"a","name":"b","config":{}}"#, "duplicate field"),
            (br#"{"name":"a","config":{"x":{"y":1}}}"#, "the value of x is an object"),
        ];
        for (body, words) in cases {
            let refusal = create(body).unwrap_err();
            assert_eq!(refusal.status, 400);
            assert!(refusal.message.contains(words), "{words}: {}", refusal.message);
        }
        assert!(create(br#"{"config":{},"initial_state":"STARTED"}"#).unwrap_err().message.contains("allowed"));
    }

    #[tokio::test]
    async fn a_body_beyond_its_limit_is_413_announced_or_not() {
        let mut headers = HeaderMap::new();
        let late = read(&headers, Body::from(vec![0; 11]), 10, "the thing").await.unwrap_err();
        headers.insert(header::CONTENT_LENGTH, 11.into());
        let early = read(&headers, Body::from(vec![0; 11]), 10, "the thing").await.unwrap_err();
        assert_eq!(late, early);
        assert_eq!(
            (late.status.as_u16(), late.message.as_str()),
            (413, "the thing is too large: it may have at most 10 bytes")
        );
    }
}
