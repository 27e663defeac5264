//! The client of one registry.
//!
//! Enters: questions of converters. Leaves: answers, kept for the next time. Invariant: at most [`AT_ONCE_MAX`] questions are
//! under way; endpoints are tried in turn, the one that answered last first; what is not available is asked again as
//! often as the settings say, then given back to the caller, who retries by the connector's own rules.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::future::BoxFuture;
use http::Method;
use lockgate_convert::Connection;
use lockgate_convert::registry::{
    Answer, Denied, Frame, Offer, Reference, Referenced, Registered, SchemaRegistry, SchemaType, Unavailable, Wait,
    Writing,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use tokio_rustls::TlsConnector;

use crate::ConnectError;
use crate::allowed::Grant;
use crate::answer::{self, SchemaAnswer, fault};
use crate::cache::Cache;
use crate::exchange::{self, Question};
use crate::tls;

/// Questions under way at most, for one batch.
const AT_ONCE_MAX: usize = 8;
/// Schemas that one schema may refer to, directly or not.
const REFERENCES_MAX: usize = 200;
/// Levels of references.
const REFERENCE_DEPTH_MAX: usize = 20;
/// What stands in a path segment as it is.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What an offer's answer depends on.
type OfferKey = (Arc<str>, Arc<str>, SchemaType, Vec<Reference>, Writing, bool);

#[derive(Debug)]
pub(crate) struct Client {
    connection: Connection,
    grants: Vec<Grant>,
    tls: Tls,
    /// The endpoint that answered last.
    current: AtomicUsize,
    frames: Cache<Frame, Arc<Registered>>,
    versions: Cache<(Arc<str>, u32), i32>,
    offers: Cache<OfferKey, Arc<Registered>>,
    subjects: Cache<(String, i32), Arc<SchemaAnswer>>,
}

/// Says nothing of keys.
struct Tls(TlsConnector);

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls")
    }
}

impl Client {
    pub(crate) fn new(connection: Connection, grants: Vec<Grant>) -> Result<Self, ConnectError> {
        Ok(Self {
            tls: Tls(tls::connector(&connection.tls)?),
            connection,
            grants,
            current: AtomicUsize::new(0),
            frames: Cache::new(),
            versions: Cache::new(),
            offers: Cache::new(),
            subjects: Cache::new(),
        })
    }

    /// Asks until there is an answer, or the settings say that it is enough.
    async fn call(
        &self,
        method: Method,
        path: String,
        body: Option<serde_json::Value>,
        doing: &str,
    ) -> Answer<SchemaAnswer> {
        let body = body.map(|json| Bytes::from(json.to_string()));
        let question = Question { method, path, body };
        let mut wait_ms = self.connection.retry_wait_ms;
        for attempt in 0.. {
            let outcome = self.round(&question, doing).await;
            if !matches!(outcome, Err(Denied::Unavailable(_))) || attempt >= self.connection.retries {
                return outcome;
            }
            tokio::time::sleep(Duration::from_millis(wait_ms.min(self.connection.retry_wait_max_ms))).await;
            wait_ms = wait_ms.saturating_mul(2);
        }
        Err(Denied::Unavailable(nowhere()))
    }

    /// Each endpoint once.
    async fn round(&self, question: &Question, doing: &str) -> Answer<SchemaAnswer> {
        let count = self.connection.endpoints.len();
        let first = self.current.load(Ordering::Relaxed);
        let mut last = Err(Denied::Unavailable(nowhere()));
        for at in (first..first + count).map(|at| at % count) {
            let (endpoint, grant) = (&self.connection.endpoints[at], self.grants[at]);
            last = match exchange::ask(endpoint, grant, &self.connection, &self.tls.0, question).await {
                Ok((status, body)) => answer::read(status, &body, doing),
                Err(why) => Err(Denied::Unavailable(why)),
            };
            if !matches!(last, Err(Denied::Unavailable(_))) {
                self.current.store(at, Ordering::Relaxed);
                break;
            }
        }
        last
    }

    async fn frame(&self, frame: Frame) -> Answer<Arc<Registered>> {
        if let Some(known) = self.frames.find(&frame) {
            return Ok(known);
        }
        let (path, doing) = match frame {
            Frame::Id(id) => {
                (format!("/schemas/ids/{id}?fetchMaxId=false"), format!("Error retrieving schema for id {id}"))
            }
            Frame::Guid(guid) => {
                let guid = guid_text(guid);
                (format!("/schemas/guids/{guid}"), format!("Error retrieving schema for GUID {guid}"))
            }
        };
        let answer = self.call(Method::GET, path, None, &doing).await?;
        let id = match frame {
            Frame::Id(id) => id,
            // Only writing needs it, and says so if it is not there.
            Frame::Guid(_) => answer.id.unwrap_or(0),
        };
        let registered = Arc::new(self.registered(id, &answer).await?);
        self.frames.keep(frame, Arc::clone(&registered));
        Ok(registered)
    }

    async fn registered(&self, id: u32, answer: &SchemaAnswer) -> Answer<Registered> {
        let references = answer.references();
        Ok(Registered {
            id,
            schema_type: answer.schema_type().map_err(Denied::Refused)?,
            text: answer.text().map_err(Denied::Refused)?,
            referenced: self.referenced(&references).await?,
            references,
            version: None,
        })
    }

    async fn referenced(&self, references: &[Reference]) -> Answer<Vec<Referenced>> {
        let (mut found, mut seen) = (Vec::new(), HashSet::new());
        self.resolve(references, &mut found, &mut seen, 0).await?;
        Ok(found)
    }

    /// What is referred to comes before what refers to it.
    fn resolve<'a>(
        &'a self,
        references: &'a [Reference],
        found: &'a mut Vec<Referenced>,
        seen: &'a mut HashSet<(String, i32)>,
        depth: usize,
    ) -> BoxFuture<'a, Answer<()>> {
        Box::pin(async move {
            for reference in references {
                let key = (reference.subject.clone(), reference.version);
                if !seen.insert(key.clone()) {
                    continue;
                }
                if depth >= REFERENCE_DEPTH_MAX || seen.len() > REFERENCES_MAX {
                    let why = "the schema refers to too many others, or they refer to each other";
                    return Err(Denied::Refused(fault("registry.references", why)));
                }
                let answer = if let Some(known) = self.subjects.find(&key) {
                    known
                } else {
                    let path = format!("/subjects/{}/versions/{}", segment(&key.0), key.1);
                    let doing = format!("Error retrieving version {} of subject {}", key.1, key.0);
                    let answer = Arc::new(self.call(Method::GET, path, None, &doing).await?);
                    self.subjects.keep(key, Arc::clone(&answer));
                    answer
                };
                self.resolve(&answer.references(), found, seen, depth + 1).await?;
                let text = answer.text().map_err(Denied::Refused)?;
                found.push(Referenced { name: reference.name.clone(), text });
            }
            Ok(())
        })
    }

    async fn version(&self, subject: &Arc<str>, schema: &Registered) -> Answer<Option<i32>> {
        let key = (Arc::clone(subject), schema.id);
        if let Some(known) = self.versions.find(&key) {
            return Ok(Some(known));
        }
        let body = body(&schema.text, schema.schema_type, &schema.references);
        let path = format!("/subjects/{}?normalize=false&deleted=true", segment(subject));
        let doing = format!("Error retrieving the version of a schema in subject {subject}");
        match self.call(Method::POST, path, Some(body), &doing).await {
            Ok(answer) => {
                if let Some(version) = answer.version {
                    self.versions.keep(key, version);
                }
                Ok(answer.version)
            }
            Err(Denied::Refused(fault)) if fault.code == "registry.not-found" => Ok(None),
            Err(other) => Err(other),
        }
    }

    async fn offer(&self, offer: &Offer) -> Answer<Arc<Registered>> {
        let Offer { subject, draft, writing, normalize } = offer;
        let key: OfferKey = (
            Arc::clone(subject),
            Arc::clone(&draft.text),
            draft.schema_type,
            draft.references.clone(),
            *writing,
            *normalize,
        );
        if let Some(known) = self.offers.find(&key) {
            return Ok(known);
        }
        let registered = match writing {
            Writing::Id(id) => self.frame(Frame::Id(*id)).await?,
            Writing::Guid(guid) => self.frame(Frame::Guid(*guid)).await?,
            Writing::Register | Writing::Lookup => Arc::new(self.own(offer).await?),
            Writing::Latest => {
                let path = format!("/subjects/{}/versions/latest", segment(subject));
                let doing = format!("Error retrieving the latest version of subject {subject}");
                let answer = self.call(Method::GET, path, None, &doing).await?;
                Arc::new(self.registered(answer.id.unwrap_or(0), &answer).await?)
            }
        };
        if registered.id == 0 && !matches!(writing, Writing::Id(0)) {
            return Err(Denied::Refused(fault("registry.answer", "the answer holds no id of the schema")));
        }
        self.offers.keep(key, Arc::clone(&registered));
        Ok(registered)
    }

    /// Registers the draft, or finds it.
    async fn own(&self, offer: &Offer) -> Answer<Registered> {
        let Offer { subject, draft, writing, normalize } = offer;
        let name = segment(subject);
        let (path, doing) = match writing {
            Writing::Register => {
                (format!("/subjects/{name}/versions?normalize={normalize}"), "Error registering the schema in subject")
            }
            _ => (
                format!("/subjects/{name}?normalize={normalize}&deleted=false"),
                "Error retrieving the id of the schema in subject",
            ),
        };
        let body = body(&draft.text, draft.schema_type, &draft.references);
        let answer = self.call(Method::POST, path, Some(body), &format!("{doing} {subject}")).await?;
        Ok(Registered {
            id: answer.id.unwrap_or(0),
            schema_type: draft.schema_type,
            text: Arc::clone(&draft.text),
            referenced: self.referenced(&draft.references).await?,
            references: draft.references.clone(),
            version: answer.version,
        })
    }
}

impl SchemaRegistry for Client {
    fn find<'a>(&'a self, frames: &'a [Frame]) -> Wait<'a, Vec<Answer<Arc<Registered>>>> {
        let each = futures::stream::iter(frames).map(|frame| self.frame(*frame));
        Box::pin(each.buffered(AT_ONCE_MAX).collect())
    }

    fn versions<'a>(&'a self, asked: &'a [(Arc<str>, Arc<Registered>)]) -> Wait<'a, Vec<Answer<Option<i32>>>> {
        let each = futures::stream::iter(asked).map(|(subject, schema)| self.version(subject, schema));
        Box::pin(each.buffered(AT_ONCE_MAX).collect())
    }

    fn offer<'a>(&'a self, offers: &'a [Offer]) -> Wait<'a, Vec<Answer<Arc<Registered>>>> {
        let each = futures::stream::iter(offers).map(|offer| Self::offer(self, offer));
        Box::pin(each.buffered(AT_ONCE_MAX).collect())
    }
}

/// A schema as registries take it; the type of Avro is left out, as old ones want it.
fn body(text: &str, schema_type: SchemaType, references: &[Reference]) -> serde_json::Value {
    let mut body = json!({ "schema": text });
    if schema_type != SchemaType::Avro {
        body["schemaType"] = schema_type.name().into();
    }
    if !references.is_empty() {
        let one = |r: &Reference| json!({ "name": r.name, "subject": r.subject, "version": r.version });
        body["references"] = references.iter().map(one).collect();
    }
    body
}

fn segment(subject: &str) -> String {
    utf8_percent_encode(subject, SEGMENT).to_string()
}

/// `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`
fn guid_text(guid: [u8; 16]) -> String {
    let hex = format!("{:032x}", u128::from_be_bytes(guid));
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

fn nowhere() -> Unavailable {
    Unavailable { code: "registry.unreachable", message: "the schema registry has no endpoint".to_owned() }
}
