//! Differences that are wanted.
//!
//! Enters: a case, a record, both answers. Leaves: the rule that wants the difference. Invariant: each rule names a class, a
//! row of `docs/differences.md` and exactly what makes the difference, and is met by some record, else it is to be deleted.

use serde_json::Value;

use super::Case;

/// Two answers that differ.
#[derive(Clone, Copy, Debug)]
pub struct Difference<'a> {
    /// What both were asked.
    pub case: &'a Case,
    /// On what.
    pub record: &'a Value,
    /// Kafka Connect's answer.
    pub theirs: &'a Value,
    /// Ours.
    pub ours: &'a Value,
}

/// Where Kafka Connect loses data, crashes, or writes what it cannot read.
#[derive(Debug)]
pub struct Wanted {
    /// Simple name of the class, of converters with the direction behind it.
    pub class: &'static str,
    /// How the row of `docs/differences.md` begins.
    pub row: &'static str,
    when: fn(&Difference<'_>) -> bool,
}

const UNLIKE: &str = "`SimpleHeaderConverter`, `InsertHeader`: unlike lists or maps inside one list";

const DATES: &str = "`SimpleHeaderConverter`: a list of dates among other things";
const BEHIND: &str = "`InsertHeader`, `SimpleHeaderConverter`: text behind a literal";

/// All of them.
pub const RULES: [Wanted; 29] = [
    Wanted::new("HeaderFrom", "`HeaderFrom`: a field that a struct lacks", |d| {
        d.crash("Field.schema()") && d.we_refuse("Field does not exist")
    }),
    Wanted::new("TimestampConverter", "`TimestampConverter`: text without `format`", |d| {
        d.crash("config.format") && d.we_refuse("without 'format'")
    }),
    Wanted::new("TimestampConverter", "`TimestampConverter` without a schema to Date, Time, Timestamp", |d| {
        d.theirs("DataException", "java.util.Date to JSON") && d.we_answer()
    }),
    Wanted::new("TimestampConverter", "`TimestampConverter` to Date: more days than 32 bits hold", |d| {
        d.they_answer() && d.we_refuse("number is no INT32")
    }),
    Wanted::new("TimestampConverter", "`format`: the text `NaN` for a number of a date", |d| {
        d.they_answer() && d.we_refuse("does not match 'format'") && d.record.to_string().contains(r#""NaN""#)
    }),
    Wanted::new("MaskField", "`MaskField` on a Decimal of a scale other than 0", |d| {
        d.theirs("DataException", "mismatching scale") && d.we_answer()
    }),
    Wanted::new("MaskField", "`MaskField` on a Decimal of a scale other than 0", |d| {
        d.we_refuse("The replacement does not fit the Decimal's scale")
    }),
    Wanted::new("Cast", "`Cast` of a whole logical type", |d| {
        let class = ["class java.util.Date", "class java.math.BigDecimal"];
        class.iter().any(|class| d.theirs("ClassCastException", class)) && d.we_answer()
    }),
    Wanted::new("Cast", "`Cast` of a whole logical type", |d| {
        d.theirs("SchemaBuilderException", "Invalid default value") && d.we_answer()
    }),
    Wanted::new("ExtractField", "`ExtractField` of a null struct, the field required and with a default", |d| {
        d.they_answer() && d.we_refuse("Invalid null value for required")
    }),
    Wanted::new("Cast", "`Cast` to string of a fraction", |d| {
        let digits = |answer: &Value| answer["value"]["v"].as_str().and_then(|text| text.parse::<f64>().ok());
        digits(d.theirs).is_some() && digits(d.theirs) == digits(d.ours)
    }),
    Wanted::new("TimestampConverter", "`TimestampConverter` behind a `Cast` without a schema", |d| {
        let narrow = ["Byte", "Short", "Integer"].iter();
        narrow.clone().any(|of| d.theirs("DataException", &format!("java.lang.{of} objects as timestamps")))
            && d.we_answer()
    }),
    Wanted::new("JsonConverter to-connect", "`JsonConverter`: the schema of a Decimal without a scale", |d| {
        d.they_answer() && d.we_refuse("Invalid Decimal schema: scale parameter not found")
    }),
    Wanted::new("ReplaceField", "`ReplaceField`: two fields that end up with one name", |d| {
        d.theirs("DataException", "") && d.two_of_one_name()
    }),
    Wanted::new("ReplaceField", "`ReplaceField`: two fields that end up with one name", |d| {
        d.they_answer() && d.we_answer() && d.two_of_one_name()
    }),
    Wanted::new("InsertHeader", BEHIND, |d| {
        let settings = d.case.json["chain"].as_object().into_iter().flatten();
        let mut literals =
            settings.filter(|(key, _)| key.ends_with(".value.literal")).filter_map(|(_, text)| text.as_str());
        let kept = |literal: &str| {
            let mut headers = d.ours["headers"].as_array().into_iter().flatten();
            headers.any(|h| h["value"] == literal.trim() && h["schema"]["type"] == "string")
        };
        d.they_answer() && literals.any(|text| text.contains([':', ',', ']', '}']) && kept(text))
    }),
    Wanted::new("InsertHeader", UNLIKE, |d| {
        let headers = |answer: &Value| answer["headers"].as_array().cloned().unwrap_or_default();
        let unlike = |(theirs, ours): (Value, Value)| {
            theirs["value"] == ours["value"]
                && ours["schema"]["items"].is_null()
                && !theirs["schema"]["items"].is_null()
        };
        headers(d.theirs).into_iter().zip(headers(d.ours)).any(unlike)
    }),
    Wanted::new("SimpleHeaderConverter to-connect", UNLIKE, |d| {
        let unlike = |part: &str| d.ours["schema"][part].is_null() && !d.theirs["schema"][part].is_null();
        let same = super::judge::same(&d.theirs["value"], &d.ours["value"]);
        let below = d.ours["schema"]["items"].to_string().contains("\"items\":null");
        same && (below || ["items", "keys", "values"].into_iter().any(unlike))
    }),
    Wanted::new("SimpleHeaderConverter to-connect", BEHIND, |d| {
        let text = d.read_text();
        d.they_answer() && text.contains([':', ',', ']', '}']) && d.ours["value"] == text
    }),
    Wanted::new("InsertHeader", DATES, |d| {
        let dates = ["java.util.Date to JSON", "should not have any date fields"];
        dates.iter().any(|why| d.theirs("DataException", why)) && d.we_answer()
    }),
    Wanted::new("SimpleHeaderConverter to-connect", DATES, |d| {
        d.theirs("DataException", "java.util.Date to JSON") && d.we_answer()
    }),
    Wanted::new("SimpleHeaderConverter to-connect", "`SimpleHeaderConverter`: a text with a leading blank", |d| {
        d.theirs["value"].as_str().is_some_and(|text| !text.is_empty() && text.trim().is_empty())
            && d.ours["value"] == d.read_text()
    }),
    Wanted::new("SimpleHeaderConverter to-connect", "`SimpleHeaderConverter`: the text `null`", |d| {
        d.crash("SchemaAndValue.schema()") && d.we_answer() && d.ours["value"].is_null()
    }),
    Wanted::new("StringConverter from-connect", "`StringConverter`: bytes", |d| {
        // What Java says of an array of bytes: `[B@` and an address.
        let address = |hex: &str| hex.contains("5b4240") || hex.contains("005b00420040");
        d.they_answer() && d.we_answer() && d.theirs["hex"].as_str().is_some_and(address)
    }),
    Wanted::new("JsonConverter to-connect", "`JsonConverter` with a schema: text or a boolean for a number", |d| {
        let reasons =
            ["number is no ", "Invalid type for ", "Arrays should be ", "Invalid default value: Invalid type"];
        d.they_answer() && reasons.iter().any(|reason| d.we_refuse(reason))
    }),
    Wanted::new("JsonConverter to-connect", "`JsonConverter` with a schema: `NaN` and `Infinity`", |d| {
        d.they_answer()
            && d.theirs["value"] != d.ours["value"]
            && same_but_for_words(&d.theirs["value"], &d.ours["value"])
    }),
    Wanted::new("JsonConverter to-connect", "JSON without a schema: numbers beyond 64 bits", |d| {
        let text = d.read_text();
        let odd = ["1e400", "\\ud8"].iter().any(|odd| text.contains(odd));
        d.they_answer() && d.theirs["schema"].is_null() && (odd || beyond_64_bits(&text))
    }),
    Wanted::new("JsonConverter to-connect", "`JsonConverter`, Decimal from a number of another scale", |d| {
        d.theirs("DataException", "mismatching scale") && (d.we_answer() || d.we_refuse("scale"))
    }),
    Wanted::new("JsonConverter to-connect", "`schema` parts of JSON envelopes with a struct's default", |d| {
        d.theirs("SchemaBuilderException", "Invalid default value") && d.we_answer()
    }),
];

impl Wanted {
    const fn new(class: &'static str, row: &'static str, when: fn(&Difference<'_>) -> bool) -> Self {
        Self { class, row, when }
    }
}

/// The rule that wants a difference, by its place.
pub fn rule(difference: &Difference<'_>) -> Option<usize> {
    let classes = difference.case.classes();
    RULES.iter().position(|rule| classes.iter().any(|class| class == rule.class) && (rule.when)(difference))
}

impl Difference<'_> {
    fn theirs(&self, class: &str, holds: &str) -> bool {
        self.theirs["error"]["class"] == class && message(self.theirs).contains(holds)
    }

    fn crash(&self, holds: &str) -> bool {
        self.theirs("NullPointerException", holds)
    }

    fn they_answer(&self) -> bool {
        self.theirs.get("error").is_none()
    }

    fn we_answer(&self) -> bool {
        self.ours.get("error").is_none()
    }

    fn we_refuse(&self, why: &str) -> bool {
        self.ours["error"]["class"] == "DataException" && message(self.ours).contains(why)
    }

    /// The topic bytes, where that is what the record is.
    fn read_text(&self) -> String {
        let hex = self.record["hex"].as_str().unwrap_or_default();
        let byte = |at: usize| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok();
        let bytes: Vec<u8> = (0..hex.len()).step_by(2).filter_map(byte).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// A rename to the name of another field, or two renames to one name.
    fn two_of_one_name(&self) -> bool {
        let settings = self.case.json["chain"].as_object().into_iter().flatten();
        let mut renames = settings.filter(|(key, _)| key.ends_with(".renames")).filter_map(|(_, list)| list.as_str());
        renames.any(|list| {
            let to: Vec<&str> = list.split(',').filter_map(|pair| Some(pair.split_once(':')?.1.trim())).collect();
            let is_there = |name: &str| {
                let mut parts = ["key", "value"].into_iter().filter_map(|part| self.record[part].as_object());
                parts.any(|fields| fields.contains_key(name))
            };
            (0..to.len()).any(|at| to[at + 1..].contains(&to[at]) || is_there(to[at]))
        })
    }
}

/// An integer is in it that has more than 64 bits.
fn beyond_64_bits(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_digit()).any(|digits| digits.len() > 18 && digits.parse::<i64>().is_err())
}

/// Equal, but for floats that are words here and 0.0 there.
fn same_but_for_words(theirs: &Value, ours: &Value) -> bool {
    match (theirs, ours) {
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| same_but_for_words(value, other)))
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_but_for_words(a, b))
        }
        (zero, Value::String(word)) if matches!(word.as_str(), "NaN" | "Infinity" | "-Infinity") => {
            *zero == 0.0 || zero == ours
        }
        _ => super::judge::same(theirs, ours),
    }
}

fn message(answer: &Value) -> &str {
    answer["error"]["message"].as_str().unwrap_or_default()
}
