//! What providers resolve, and what they refuse.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::*;

fn providers(entries: &[(&str, &str)]) -> Providers {
    let mut errors = Vec::new();
    let providers =
        Providers::read(&entries.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect(), "acme", &mut errors);
    assert_eq!(errors, []);
    providers
}

fn resolve(providers: &Providers, value: &str) -> Result<String, String> {
    let raw = RawConfig::from([("key".to_owned(), Some(value.to_owned()))]);
    let resolved = providers.resolve(&raw);
    resolved.problem().map_or_else(|| Ok(resolved.config["key"].clone().unwrap()), Err)
}

fn write(path: &Path, text: &str) -> String {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_file_gives_the_values_of_its_keys_only_below_the_allowed_paths() {
    let dir = tempfile::tempdir().unwrap();
    let inside = write(&dir.path().join("in/a.properties"), "user=me\npassword=hunter2\n");
    let outside = write(&dir.path().join("out.properties"), "password=other\n");
    symlink(&outside, dir.path().join("in/link.properties")).unwrap();
    let allowed = dir.path().join("in");
    let class = "org.apache.kafka.common.config.provider.FileConfigProvider";
    let providers = providers(&[
        ("config.providers", "f"),
        ("config.providers.f.class", class),
        ("config.providers.f.param.allowed.paths", allowed.to_str().unwrap()),
    ]);
    assert_eq!(resolve(&providers, &format!("${{f:{inside}:user}}/${{f:{inside}:password}}")).unwrap(), "me/hunter2");
    let missing = resolve(&providers, &format!("${{f:{inside}:nobody}}")).unwrap_err();
    assert!(missing.contains("there is no key nobody") && !missing.contains("hunter2"), "{missing}");
    for path in [outside.as_str(), allowed.join("link.properties").to_str().unwrap(), "/etc/passwd", "/nowhere"] {
        let error = resolve(&providers, &format!("${{f:{path}:password}}")).unwrap_err();
        assert!(error.contains("is not allowed (allowed.paths)"), "{path}: {error}");
    }
}

#[test]
fn a_directory_gives_whole_files_and_never_what_lies_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("d/tls.key"), "BEGIN\nEND\n");
    write(&dir.path().join("other"), "x");
    let providers = providers(&[("config.providers", "dir")]);
    let place = dir.path().join("d").to_str().unwrap().to_owned();
    assert_eq!(resolve(&providers, &format!("${{dir:{place}:tls.key}}")).unwrap(), "BEGIN\nEND\n");
    let error = resolve(&providers, &format!("${{dir:{place}:../other}}")).unwrap_err();
    assert!(error.contains("is not the name of a file"), "{error}");
    assert_eq!(providers.warnings()[0].key, "config.providers.dir.param.allowed.paths");
}

#[test]
fn the_environment_gives_what_its_pattern_allows() {
    let providers = providers(&[
        ("config.providers", "env"),
        ("config.providers.env.class", "org.apache.kafka.common.config.provider.EnvVarConfigProvider"),
        ("config.providers.env.param.allowlist.pattern", "CARGO_.*"),
    ]);
    assert_eq!(resolve(&providers, "${env:CARGO_PKG_NAME}").unwrap(), "lockgate-config");
    assert!(resolve(&providers, "${env:PATH}").unwrap_err().contains("not allowed (allowlist.pattern)"));
    assert!(resolve(&providers, "${env:CARGO_NO_SUCH}").unwrap_err().contains("there is no environment variable"));
    assert!(resolve(&providers, "${env:/x:CARGO_PKG_NAME}").unwrap_err().contains("has no path"));
    assert_eq!(resolve(&providers, "${vault:a:b} ${topic}").unwrap(), "${vault:a:b} ${topic}");
    assert_eq!(providers.warnings(), []);
}

#[test]
fn a_secret_is_its_tenants_alone_and_lies_where_nobody_else_can_look() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("acme/db/password"), "hunter2\n");
    write(&dir.path().join("other/password"), "theirs");
    symlink(dir.path().join("other/password"), dir.path().join("acme/link")).unwrap();
    let (acme, file) = (dir.path().join("acme"), dir.path().join("acme/db/password"));
    fs::set_permissions(&acme, Permissions::from_mode(0o700)).unwrap();
    let providers = providers(&[
        ("config.providers", "secret"),
        ("config.providers.secret.param.dir", dir.path().to_str().unwrap()),
    ]);
    assert_eq!(resolve(&providers, "${secret:db:password}").unwrap(), "hunter2");
    let raw = RawConfig::from([("a".to_owned(), Some("${secret:db:password}".to_owned()))]);
    assert_eq!(providers.resolve(&raw).ttl, Some(Duration::from_mins(1)));
    for (reference, why) in [
        ("${secret:../other:password}", "plain names"),
        ("${secret:/etc:passwd}", "plain names"),
        ("${secret:link}", "leads out of its directory"),
        ("${secret:nothing}", "there is no secret nothing"),
    ] {
        let error = resolve(&providers, reference).unwrap_err();
        assert!(error.contains(why) && !error.contains(dir.path().to_str().unwrap()), "{reference}: {error}");
    }
    fs::set_permissions(&file, Permissions::from_mode(0o666)).unwrap();
    assert!(resolve(&providers, "${secret:db:password}").unwrap_err().contains("nobody else may read or write"));
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(&acme, Permissions::from_mode(0o755)).unwrap();
    assert!(resolve(&providers, "${secret:db:password}").unwrap_err().contains("the directory of secrets"));
}

#[test]
fn a_provider_that_cannot_be_is_an_error_with_what_there_is() {
    let mut errors = Vec::new();
    let entries = [
        ("config.providers", "v,f,s,e"),
        ("config.providers.v.class", "com.acme.VaultConfigProvider"),
        ("config.providers.f.class", "FileConfigProvder"),
        ("config.providers.s.class", "SecretConfigProvider"),
        ("config.providers.e.class", "EnvVarConfigProvider"),
        ("config.providers.e.param.allowlist.pattern", "("),
    ];
    Providers::read(&entries.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect(), "acme", &mut errors);
    let keys: Vec<&str> = errors.iter().map(|e| e.key.as_str()).collect();
    let expected = [
        "config.providers.v.class",
        "config.providers.f.class",
        "config.providers.s.param.dir",
        "config.providers.e.param.allowlist.pattern",
    ];
    assert_eq!(keys, expected);
    assert_eq!(errors[1].nearest.as_deref(), Some("FileConfigProvider"));
}
