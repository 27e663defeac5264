//! An object that one transform hands to the next changes nothing but the time it takes.
//!
//! Enters: made-up objects and chains. Leaves: nothing. Invariant: a chain gives the same bytes whether its steps hand on objects or bytes.

use crate::aiven::text::CaseTransform;
use crate::cast::Cast;
use crate::class::Class;
use crate::insert::InsertField;
use crate::mask::MaskField;
use crate::record::{Fault, Part};
use crate::replace::ReplaceField;
use crate::testing::{Fake, configure};

const ROUNDS: u64 = 4_000;
const NAMES: [&str; 6] = ["a", "b", "c\u{e4}", "d\"e", "", "long-name"];
const VALUES: [&str; 9] =
    ["1", "-2.5e3", "\"x\"", "\"q\\\"}\"", "null", "true", "[1, {\"a\":2}]", "{\"a\" : {}}", "\"\""];
const BLANKS: [&str; 3] = ["", " ", "\n\t"];

/// `SplitMix64`.
struct Dice(u64);

impl Dice {
    fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        let many = all.len() as u64;
        all[usize::try_from(self.throw() % many).unwrap_or(0)]
    }

    fn object(&mut self) -> String {
        let members: Vec<String> = (0..self.throw() % 6)
            .map(|_| {
                let (name, value) = (crate::scan::quoted(self.of(&NAMES)), self.of(&VALUES));
                let blanks = [(); 4].map(|()| self.of(&BLANKS));
                format!("{}{name}{}:{}{value}{}", blanks[0], blanks[1], blanks[2], blanks[3])
            })
            .collect();
        format!("{}{{{}{}}}{}", self.of(&BLANKS), members.join(","), self.of(&BLANKS), self.of(&BLANKS))
    }
}

type Step = Box<dyn FnMut(&mut Fake) -> Result<bool, Fault>>;

fn step<T: Class + 'static>(pairs: &[(&str, &str)]) -> Step {
    let mut class = configure::<T>(Part::Value, pairs).unwrap_or_else(|why| panic!("{pairs:?}: {why:?}"));
    Box::new(move |record| class.apply(record))
}

/// A transform whose settings name what the objects have.
fn some(dice: &mut Dice) -> Step {
    let (one, two) = (dice.of(&["a", "b", "c\u{e4}"]), dice.of(&["b", "long-name", "new"]));
    match dice.throw() % 8 {
        0 => step::<MaskField>(&[("fields", one)]),
        1 => step::<MaskField>(&[("fields", &format!("{two},{one}"))]),
        2 => step::<ReplaceField>(&[("renames", &format!("{one}:{two}"))]),
        3 => step::<ReplaceField>(&[("exclude", one)]),
        4 => step::<ReplaceField>(&[("include", &format!("{one},{two}")), ("renames", &format!("{two}:d\"e"))]),
        5 => step::<InsertField>(&[("static.field", two), ("static.value", "v\"w"), ("offset.field", one)]),
        6 => step::<Cast>(&[("spec", &format!("{one}:string"))]),
        _ => step::<CaseTransform>(&[("field.names", one), ("case", "upper")]),
    }
}

#[test]
fn a_chain_gives_the_same_whether_its_steps_hand_on_objects_or_bytes() {
    let (mut whole, mut helped) = (0, 0);
    for seed in 0..ROUNDS {
        let mut dice = Dice(seed);
        let mut held = Fake::new(Some(&dice.object()), "");
        let mut plain = held.clone();
        for _ in 0..5 {
            let mut step = some(&mut dice);
            helped += usize::from(held.held.is_some());
            plain.held = None;
            let (one, other) = (step(&mut held), step(&mut plain));
            assert_eq!(one, other, "seed {seed}");
            assert_eq!(held.text(Part::Value), plain.text(Part::Value), "seed {seed}");
            if one.is_err() {
                break;
            }
            whole += 1;
        }
    }
    assert!(whole > 10_000 && helped > 8_000, "{whole} steps, {helped} with an object");
}
