//! Who may call: HTTP basic and bearer tokens.
//!
//! Enters: files of users and tokens, the `Authorization` of a request. Leaves: yes or no. Invariant: a file that cannot be
//! read or is empty ends the start rather than letting everybody in; neither passwords nor tokens are printed; comparing
//! takes as long for a nearly right secret as for a wrong one. Rules: RFC 7617, RFC 6750.

mod files;

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, header};
use lockgate_config::RestAuth;

use files::{Secrets, SecretsFile};

/// The callers cannot be told apart.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// Code `rest.auth-file`.
    #[error("{} cannot be read ({key}): {why}; it holds lines of {form} [rest.auth-file]", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The setting that names it.
        key: &'static str,
        /// What its lines look like.
        form: &'static str,
        /// Why.
        why: String,
    },
}

/// Who may call.
#[derive(Clone, Debug, Default)]
pub struct Callers {
    /// `user`, `password`.
    basic: Option<SecretsFile>,
    /// `name`, `token`.
    bearer: Option<SecretsFile>,
}

impl Callers {
    /// Reads the files.
    pub fn read(auth: &RestAuth) -> Result<Self, AuthError> {
        let read =
            |path: &Option<PathBuf>, key, form| path.as_deref().map(|p| SecretsFile::open(p, key, form)).transpose();
        Ok(Self {
            basic: read(&auth.basic_file, "lockgate.rest.basic.file", "user=password")?,
            bearer: read(&auth.bearer_file, "lockgate.rest.bearer.file", "name=token")?,
        })
    }

    /// The value of `WWW-Authenticate` for a caller that is not known; `None` if it is, or nobody has to be.
    pub fn challenge(&self, headers: &HeaderMap) -> Option<&'static str> {
        if self.basic.is_none() && self.bearer.is_none() {
            return None;
        }
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let (scheme, secret) = given.split_once(' ').unwrap_or_default();
        let known = match scheme.to_ascii_lowercase().as_str() {
            "basic" => self.basic.as_ref().is_some_and(|users| is_user(&users.secrets(), secret.trim())),
            "bearer" => {
                let token = secret.trim();
                // All are compared, so that the time does not tell which one it was.
                let known = self.bearer.as_ref().map(SecretsFile::secrets);
                known.iter().flat_map(|known| known.iter()).filter(|(_, known)| is_same(known, token)).count() > 0
            }
            _ => false,
        };
        let challenge = if self.basic.is_some() { r#"Basic realm="lockgate", charset="UTF-8""# } else { "Bearer" };
        (!known).then_some(challenge)
    }
}

fn is_user(users: &Secrets, encoded: &str) -> bool {
    let Some(text) = STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok()) else {
        return false;
    };
    let Some((name, password)) = text.split_once(':') else { return false };
    users.iter().filter(|(user, known)| is_same(user, name) & is_same(known, password)).count() > 0
}

fn is_same(known: &str, given: &str) -> bool {
    let pairs = known.bytes().zip(given.bytes().chain(std::iter::repeat(0)));
    let different = pairs.fold(0, |seen, (a, b)| std::hint::black_box(seen | (a ^ b)));
    different == 0 && known.len() == given.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn callers(basic: Option<&str>, bearer: Option<&str>) -> Callers {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: Option<&str>| {
            let path = dir.path().join(name);
            text.map(|text| std::fs::write(&path, text).map(|()| path).unwrap())
        };
        Callers::read(&RestAuth { basic_file: write("basic", basic), bearer_file: write("bearer", bearer) }).unwrap()
    }

    fn asks(callers: &Callers, authorization: &str) -> Option<&'static str> {
        let mut headers = HeaderMap::new();
        if !authorization.is_empty() {
            headers.insert(header::AUTHORIZATION, authorization.parse().unwrap());
        }
        callers.challenge(&headers)
    }

    #[test]
    fn a_known_user_or_token_may_call_and_nobody_else() {
        let both = callers(Some("ann=p:w\nbob=x"), Some("ci=t0ken"));
        let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
        for known in [basic("ann:p:w"), basic("bob:x").replace("Basic", "bAsIc"), "Bearer t0ken".to_owned()] {
            assert_eq!(asks(&both, &known), None, "{known}");
        }
        let strangers = ["", "Basic", "Basic !", "Bearer ", "Bearer t0ke", "Bearer t0ken2", "Digest t0ken"];
        let strangers = strangers.map(str::to_owned).into_iter();
        for stranger in strangers.chain([basic("ann:x"), basic("ann"), basic("ann:"), basic(":p:w"), basic("bob:x\0")])
        {
            assert!(asks(&both, &stranger).is_some_and(|c| c.starts_with("Basic")), "{stranger}");
        }
        assert_eq!(asks(&callers(None, Some("a=b")), ""), Some("Bearer"));
        assert_eq!(asks(&callers(None, None), ""), None);
    }

    #[test]
    fn a_file_that_names_nobody_ends_the_start_and_nothing_prints_secrets() {
        let auth = RestAuth { basic_file: Some("/nowhere/users".into()), bearer_file: None };
        let error = Callers::read(&auth).unwrap_err().to_string();
        assert!(error.contains("lockgate.rest.basic.file") && error.contains("user=password"), "{error}");
        assert!(!format!("{:?}", callers(Some("ann=secret"), None)).contains("secret"));
    }
}
