//! Settings of registry converters: what is taken, what is refused, and what no text shows.
#![allow(clippy::unwrap_used)]

use indexmap::IndexMap;

use super::{RegistryOptions, Scheme};
use crate::converter::{ConvertConfigError, Converter, Role};
use crate::registry::Writing;

fn parse(settings: &[(&str, &str)]) -> Result<RegistryOptions, Vec<(String, String)>> {
    let given: IndexMap<String, String> = settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    match RegistryOptions::parse("io.confluent.connect.avro.AvroConverter", &given) {
        Ok(options) => Ok(options.unwrap()),
        Err(ConvertConfigError::Settings(problems)) => Err(problems),
        Err(other) => panic!("{other}"),
    }
}

const URL: (&str, &str) = ("schema.registry.url", "http://a");

#[test]
fn urls_are_taken_apart() {
    let urls = "https://User:p%40ss@Reg.Example/sub/path/, http://[::1]:8081,mock://scope,http://h:81";
    let endpoints = parse(&[("schema.registry.url", urls)]).unwrap().connection.endpoints;
    let shown: Vec<String> = endpoints.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["https://reg.example:443/sub/path", "http://[::1]:8081", "mock://scope", "http://h:81"]);
    assert_eq!(endpoints[0].authorization.as_deref(), Some("Basic VXNlcjpwQHNz"));
    assert_eq!((endpoints[1].host.as_str(), endpoints[2].scheme), ("::1", Scheme::Mock));
    for bad in ["", "a", "ftp://a", "http://", "http://a b", "http://a:x", "http://a/?q=1", "http://a,nope"] {
        let problems = parse(&[("schema.registry.url", bad)]).unwrap_err();
        assert!(problems.iter().all(|(key, _)| key == "schema.registry.url"), "{bad}: {problems:?}");
    }
}

#[test]
fn all_problems_are_told_at_once_and_none_shows_a_secret() {
    let problems = parse(&[
        ("schema.registry.url", "http://u:hush@h:port"),
        ("basic.auth.credentials.source", "USER_INFO"),
        ("basic.auth.user.info", "hush"),
        ("bearer.auth.credentials.source", "OAUTHBEARER"),
        ("auto.register.schemas", "yes"),
        ("use.schema.guid", "nope"),
        ("schemas.cache.config", "-1"),
        ("value.subject.name.strategy", "com.example.Mine"),
        ("schema.registry.ssl.truststore.location", "/etc/store.jks"),
        ("connect.meta.data", "2"),
    ])
    .unwrap_err();
    let mut keys: Vec<&str> = problems.iter().map(|(key, _)| key.as_str()).collect();
    keys.sort_unstable();
    let expected = [
        "auto.register.schemas",
        "basic.auth.user.info",
        "bearer.auth.credentials.source",
        "connect.meta.data",
        "schema.registry.ssl.truststore.type",
        "schema.registry.url",
        "schemas.cache.config",
        "use.schema.guid",
        "value.subject.name.strategy",
    ];
    assert_eq!(keys, expected);
    assert!(!format!("{problems:?}").contains("hush"), "{problems:?}");
}

#[test]
fn debug_text_of_options_holds_no_credentials() {
    let options = parse(&[
        ("schema.registry.url", "http://u:hush@a"),
        ("bearer.auth.credentials.source", "STATIC_TOKEN"),
        ("bearer.auth.token", "hush"),
    ])
    .unwrap();
    assert_eq!(options.connection.endpoints[0].authorization.as_deref(), Some("Bearer hush"));
    assert!(!format!("{options:?} {:?}", options.connection).contains("hush"));
}

#[test]
fn the_way_of_writing_follows_the_order_of_the_settings() {
    let off = ("auto.register.schemas", "false");
    let (id, guid) = (("use.schema.id", "7"), ("use.schema.guid", "00000000-0000-0000-0000-0000000000ff"));
    let latest = ("use.latest.version", "true");
    let mut bytes = [0; 16];
    bytes[15] = 0xff;
    for (settings, writing) in [
        (vec![URL, id, guid, latest], Writing::Register),
        (vec![URL, off, id, guid, latest], Writing::Id(7)),
        (vec![URL, off, guid, latest], Writing::Guid(bytes)),
        (vec![URL, off, latest], Writing::Latest),
        (vec![URL, off], Writing::Lookup),
    ] {
        assert_eq!(parse(&settings).unwrap().writing, writing, "{settings:?}");
    }
}

#[test]
fn classes_go_by_several_names_and_are_not_for_headers() {
    let given: IndexMap<String, String> = [("schema.registry.url".to_owned(), "http://a".to_owned())].into();
    for (class, full) in [
        ("Avro", "io.confluent.connect.avro.AvroConverter"),
        ("AvroConverter", "io.confluent.connect.avro.AvroConverter"),
        ("io.apicurio.registry.utils.converter.AvroConverter", "io.apicurio.registry.utils.converter.AvroConverter"),
        ("ProtobufConverter", "io.confluent.connect.protobuf.ProtobufConverter"),
    ] {
        assert_eq!(Converter::configure(class, &given, Role::Value).unwrap().class(), full);
        let refused = Converter::configure(class, &given, Role::Header).unwrap_err();
        assert_eq!(refused.code(), "converter.role");
    }
}

#[test]
fn apicurios_own_settings_are_understood_for_its_class() {
    let settings = [
        ("apicurio.registry.url", "http://r:8080/apis/registry/v2"),
        ("apicurio.registry.auth.username", "u"),
        ("apicurio.registry.auth.password", "p"),
        ("apicurio.registry.find-latest", "true"),
    ];
    let given = settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let class = "io.apicurio.registry.utils.converter.AvroConverter";
    let options = RegistryOptions::parse(class, &given).unwrap().unwrap();
    let endpoint = &options.connection.endpoints[0];
    assert_eq!(endpoint.to_string(), "http://r:8080/apis/ccompat/v7");
    assert_eq!(endpoint.authorization.as_deref(), Some("Basic dTpw"));
    // Its default is not to register.
    assert_eq!(options.writing, Writing::Latest);
}
