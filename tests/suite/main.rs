//! The suite: everything that needs a worker process, a real Kafka or a guest, as one executable.
//!
//! Enters: what `make test` has built. Leaves: one test for each promise of the README, each a sentence. Invariant: tests share
//! one broker, each with topics and a worker of its own; nothing waits for a time, everything for a condition.
#![allow(clippy::unwrap_used, clippy::needless_pass_by_value)]

#[path = "../contract/mod.rs"]
mod contract;

#[path = "../parity/mod.rs"]
mod parity;

mod authoring;
mod bad_clients;
mod bombs;
mod cli;
mod clients;
mod configs;
mod converters;
mod crash;
mod dead_letters;
mod dev;
mod differential;
mod faults;
mod feeds;
mod full_cache;
mod languages;
mod lives;
mod logins;
mod metrics;
mod misbehaviour;
mod neighbours;
mod network;
mod package_dev;
mod parity_topics;
mod parity_transforms;
mod pipes;
mod previews;
mod protocols;
mod providers;
mod ran;
mod redact;
mod redis;
mod registries;
mod registry_formats;
mod registry_lines;
mod rehearsals;
mod rest;
mod rest_doors;
mod rest_many;
mod rest_offsets;
mod rest_openapi;
mod restart_policy;
mod schema_check;
mod standalone;
mod states;

mod topics;
mod uploads;
mod validation;
mod versions;
mod webhooks;
mod worker_keys;
