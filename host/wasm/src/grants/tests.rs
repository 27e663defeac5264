//! Policies, requests, and addresses after resolving.
#![allow(clippy::unwrap_used)]

use super::*;

fn policy(http: &str, private: &str) -> Policy {
    Policy::parse(http, "", "", "", private).unwrap()
}

fn config(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

fn shown(patterns: &[HostPattern]) -> Vec<String> {
    patterns.iter().map(ToString::to_string).collect()
}

#[test]
fn effective_is_what_policy_and_request_both_say() {
    let requests = [Request::Http("{http.url}".into()), Request::Http("api.example.com".into())];
    let config = config(&[("http.url", "https://es.corp:9200/index, http://other.corp")]);
    let (grants, refused) = policy("*.example.com:443, es.corp", "").effective(&requests, &config);
    assert_eq!(shown(&grants.http), ["es.corp:9200", "api.example.com:443"]);
    let refused: Vec<_> = refused.iter().map(ToString::to_string).collect();
    let expected = "http other.corp:80 is not granted: no entry of lockgate.grants.http covers it";
    assert_eq!(refused, [expected]);
}

#[test]
fn a_placeholder_without_a_value_asks_for_nothing() {
    let requests = [Request::Http("{proxy.url}".into()), Request::Read("{file}".into())];
    let (grants, refused) = policy("*", "").effective(&requests, &config(&[("file", "")]));
    assert_eq!((grants.http.len(), grants.directories.len(), refused.len()), (0, 0, 0));
}

#[test]
fn a_policy_alone_grants_nothing() {
    let (grants, refused) = policy("*", "").effective(&[], &config(&[("url", "http://a.b")]));
    assert!(grants.http.is_empty() && refused.is_empty());
}

#[test]
fn special_addresses_need_a_literal_or_a_range() {
    let ask = |http: &str, private: &str, address: &str, port| {
        let (grants, _) = policy(http, private).effective(&[Request::Http("*".into())], &[]);
        grants.check_address(address.parse().unwrap(), port).is_ok()
    };
    assert!(ask("*", "", "1.1.1.1", 443));
    assert!(!ask("*", "", "127.0.0.1", 80));
    assert!(!ask("*", "", "169.254.169.254", 80));
    assert!(!ask("*", "", "::ffff:10.0.0.1", 80));
    assert!(ask("*", "10.0.0.0/8", "10.0.0.1", 80));
    assert!(!ask("*", "10.0.0.0/8", "192.168.0.1", 80));
    assert!(ask("127.0.0.1:9200", "", "127.0.0.1", 9200));
    assert!(!ask("127.0.0.1:9200", "", "127.0.0.1", 9201));
    assert!(ask("*", "64:ff9b::/96", "64:ff9b::808:808", 80), "a public address behind a granted NAT64");
    assert!(!ask("*", "64:ff9b::/96", "64:ff9b::7f00:1", 80), "loopback behind a granted NAT64");
    assert!(ask("*", "64:ff9b::/96,127.0.0.0/8", "64:ff9b::7f00:1", 80));
}

#[test]
fn files_are_opened_only_inside_granted_directories() {
    let root = tempfile::tempdir().unwrap();
    let base = root.path().canonicalize().unwrap();
    std::fs::create_dir_all(base.join("in/sub")).unwrap();
    std::fs::create_dir_all(base.join("out")).unwrap();
    std::os::unix::fs::symlink(base.join("out"), base.join("in/link")).unwrap();
    std::fs::write(base.join("in/sub/a.txt"), "x").unwrap();
    let at = |tail: &str| format!("{}/{tail}", base.display());
    let policy = Policy::parse("", "", &at("in"), &at("in/sub"), "").unwrap();
    let ask = |request: Request| {
        let (grants, refused) = policy.effective(&[request], &[]);
        (grants.directories.into_iter().map(|d| (d.guest, d.writable)).collect::<Vec<_>>(), refused.len())
    };
    assert_eq!(ask(Request::Read(at("in/sub/a.txt"))), (vec![(at("in/sub"), false)], 0));
    assert_eq!(ask(Request::Read(at("in/sub"))), (vec![(at("in/sub"), false)], 0));
    assert_eq!(ask(Request::Write(at("in/sub/new.txt"))), (vec![(at("in/sub"), true)], 0));
    assert_eq!(ask(Request::Write(at("in/a.txt"))), (vec![], 1));
    assert_eq!(ask(Request::Read(at("out/a.txt"))), (vec![], 1));
    assert_eq!(ask(Request::Read(at("in/link/a.txt"))), (vec![], 1), "a link leads out of the grant");
    assert_eq!(ask(Request::Read(at("in/../out/a.txt"))), (vec![], 1));
    assert_eq!(ask(Request::Read("relative.txt".into())), (vec![], 1));
    assert_eq!(ask(Request::Read(at("in/missing/a.txt"))), (vec![], 1));
}

#[test]
fn bad_policies_name_every_problem() {
    let problems = Policy::parse("a b", "x:0", "rel", "/a/../b", "10.0.0.0/99").unwrap_err();
    assert_eq!(problems.len(), 5, "{problems:?}");
    assert!(problems.iter().all(|p| p.starts_with("lockgate.grants.")));
}
