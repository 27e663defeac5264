//! Batches of a source that lies.
//!
//! Enters: the lie. Leaves: a batch of three records, wrong in one way. Invariant: an unknown lie gives a right batch.

use lockgate_sdk::bindings::base::lockgate::connect::batches::{Batch, Schema};
use lockgate_sdk::{HeaderRow, Row, Span};

const DATA: &[u8] = b"keyvalue\xff\xfename";

fn row() -> Row {
    Row {
        offset: -1,
        timestamp: 1_700_000_000_000,
        partition: Row::ANY_PARTITION,
        topic: 0,
        key: Span { offset: 0, len: 3 },
        value: Span { offset: 3, len: 5 },
        header_first: 0,
        header_count: 1,
        source_row: 0,
        flags: 0,
        key_schema: 0,
        value_schema: 0,
    }
}

pub fn lying(lie: &str, records_max: u32) -> Batch {
    let (mut row, mut count, mut schemas) = (row(), 3, Vec::new());
    let mut header = HeaderRow { name_offset: 10, name_len: 4, schema: 0, value: Span::NULL };
    let mut topic = "lies-topic".to_owned();
    match lie {
        "span" => row.value.len = 1_000,
        "span-overflow" => row.value = Span { offset: u32::MAX - 1, len: u32::MAX - 1 },
        "span-2gb" => row.value = Span { offset: 0, len: 2_000_000_000 },
        "topic" => row.topic = 1,
        "headers" => row.header_count = 4_000_000_000,
        "flags" => row.flags = 6,
        "schema" => row.value_schema = 0x9999,
        "schema-owner" => schemas.push(Schema { id: 5, definition: "{\"type\":\"string\"}".to_owned() }),
        "schema-zero" => schemas.push(Schema { id: 0, definition: "{}".to_owned() }),
        "schema-large" => schemas.push(Schema { id: 0x1_0000, definition: "{}".to_owned() }),
        "schema-nonsense" => schemas.push(Schema { id: 0x8000, definition: "not json".to_owned() }),
        "header-name" => header.name_offset = 8,
        "header-span" => header.value = Span { offset: 0, len: 1_000 },
        "topic-empty" => topic.clear(),
        "topic-name" => "../etc/passwd\n".clone_into(&mut topic),
        "topic-internal" => "__consumer_offsets".clone_into(&mut topic),
        "offset" => row.offset = 42,
        "partition" => row.partition = 1_000_000,
        "rows-many" => count = 1_000_000,
        "rows-over" => count = records_max as usize * 2 + 1,
        _ => {}
    }
    let mut rows: Vec<u8> = Vec::new();
    for index in 0..u32::try_from(count).unwrap_or(0) {
        row.source_row = index;
        rows.extend_from_slice(&row.bytes());
    }
    match lie {
        "ragged" => rows.truncate(rows.len() - 1),
        "rows-64mb" => rows = vec![0; 64 * 1_000_000],
        _ => {}
    }
    let mut headers = header.bytes().to_vec();
    if lie == "ragged-headers" {
        headers.push(0);
    }
    let mut data = DATA.to_vec();
    if lie == "data-many" {
        data.resize(32 << 20, b'x');
    }
    Batch { topics: vec![topic], schemas, rows, headers, data }
}
