//! The tour in `docs/transforms.md` and this package are of one mind.
#![allow(clippy::unwrap_used)]

use transform_kit::testing::tour::{Entry, both, faults, plain, unlisted};

use crate::{confluent, debezium, jq};

const TOUR: &str = include_str!("../../../docs/transforms.md");

fn entries() -> Vec<Entry> {
    vec![
        plain::<debezium::Filter>(),
        plain::<debezium::ContentBasedRouter>(),
        both::<confluent::Filter>(),
        both::<jq::Jq>(),
    ]
}

#[test]
fn every_class_has_a_table_of_its_keys_and_an_example_that_is_true() {
    let faults = faults(TOUR, &entries());
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

#[test]
fn the_tour_knows_every_class_of_the_package() {
    assert_eq!(unlisted(include_str!("lib.rs"), &entries()), Vec::<String>::new());
}
