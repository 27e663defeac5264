//! What the REST settings of a worker may say.

use super::*;
use crate::{WorkerConfig, properties};

const BASE: &str =
    "bootstrap.servers=a:1\nkey.converter=String\nvalue.converter=String\noffset.storage.file.filename=/x\n";

fn read(more: &str) -> Result<RestSettings, String> {
    let entries = properties::parse(&format!("{BASE}{more}")).unwrap();
    WorkerConfig::standalone(&entries).map(|worker| worker.rest).map_err(|errors| errors.to_string())
}

#[test]
fn https_listeners_take_the_prefixed_settings_or_the_bare_ones_but_never_both() {
    let bare = "ssl.keystore.type=PEM\nssl.keystore.location=/bare.pem\nssl.client.auth=required\n\
                ssl.truststore.type=pem\nssl.truststore.location=/ca.pem\n";
    let tls = read(&format!("listeners=https://:8443,http://:8083\n{bare}")).unwrap().tls.unwrap();
    assert_eq!(tls.identity, Identity::File("/bare.pem".into()));
    assert_eq!((tls.client_auth, tls.trust), (ClientAuth::Required, Some(Pem::File("/ca.pem".into()))));
    let prefixed = "listeners.https.ssl.keystore.type=PEM\nlisteners.https.ssl.keystore.certificate.chain=CHAIN\n\
                    listeners.https.ssl.keystore.key=KEY\nlisteners.https.ssl.enabled.protocols=TLSv1.3\n";
    let tls = read(&format!("listeners=https://:8443\n{bare}{prefixed}")).unwrap().tls.unwrap();
    assert_eq!(tls.identity, Identity::Text { chain: "CHAIN".to_owned(), key: "KEY".to_owned() });
    assert_eq!((tls.client_auth, tls.tls12, tls.tls13), (ClientAuth::None, false, true));
    assert!(!format!("{tls:?}").contains("KEY"));
    assert_eq!(read(bare).unwrap().tls, None);
}

#[test]
fn an_https_listener_without_what_it_needs_is_refused_with_every_reason() {
    let nothing = read("listeners=https://:8443\n").unwrap_err();
    assert!(nothing.contains("set ssl.keystore.location and ssl.keystore.type=PEM"), "{nothing}");
    let java = "listeners=https://:8443\nlisteners.https.ssl.keystore.location=/k.jks\n\
                listeners.https.ssl.client.auth=required\nlisteners.https.ssl.enabled.protocols=TLSv1.1\n";
    let errors = read(java).unwrap_err();
    for part in ["listeners.https.ssl.keystore.type=PEM", "truststore.location", "only TLSv1.2 and TLSv1.3"] {
        assert!(errors.contains(part), "{part}: {errors}");
    }
}

#[test]
fn admin_listeners_are_absent_empty_or_their_own() {
    assert_eq!(read("").unwrap().admin, AdminListeners::Main);
    assert_eq!(read("admin.listeners=\n").unwrap().admin, AdminListeners::Disabled);
    let own = Listener { scheme: Scheme::Http, host: "localhost".to_owned(), port: 9090 };
    let expected = AdminListeners::Own { listeners: vec![own], tls: None };
    assert_eq!(read("admin.listeners=http://localhost:9090\n").unwrap().admin, expected);
    assert!(read("admin.listeners=nine\n").is_err());
}

#[test]
fn basic_authentication_is_named_as_in_kafka_connect_and_needs_its_file() {
    let class =
        "rest.extension.classes=org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension\n";
    let auth = read(&format!("{class}lockgate.rest.basic.file=/users\n")).unwrap().auth;
    assert_eq!(auth, RestAuth { basic_file: Some("/users".into()), bearer_file: None });
    assert!(read(class).unwrap_err().contains("lockgate.rest.basic.file"));
    assert_eq!(read("lockgate.rest.bearer.file=/t\n").unwrap().auth.bearer_file, Some("/t".into()));
}

#[test]
fn an_extension_that_cannot_be_applied_is_refused_and_not_passed_over() {
    let error = read("rest.extension.classes=com.acme.KeepOut\n").unwrap_err();
    assert!(error.contains("com.acme.KeepOut") && error.contains("cannot be loaded"), "{error}");
}

#[test]
fn the_advertised_scheme_is_the_first_listeners_unless_it_is_named() {
    let tls = "ssl.keystore.type=PEM\nssl.keystore.location=/k.pem\n";
    assert_eq!(read(&format!("{tls}listeners=https://:1,http://:2\n")).unwrap().advertised_scheme, Scheme::Https);
    let named = format!("{tls}listeners=https://:1,http://:2\nrest.advertised.listener=HTTP\n");
    assert_eq!(read(&named).unwrap().advertised_scheme, Scheme::Http);
    assert!(read("rest.advertised.listener=ftp\n").is_err());
}
