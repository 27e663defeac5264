//! Errors that a guest returned.
//!
//! Enters: lifted faults. Leaves: the model's. Invariant: texts are cut to the contract's bounds, rows are in range.

use std::time::Duration;

use lockgate_model::fault::{Fault, FaultKind, RowFault};

use super::{cut, imports::faults as wit};

const CODE_BYTES_MAX: usize = 100;
const MESSAGE_BYTES_MAX: usize = 4 << 10;
const DETAIL_BYTES_MAX: usize = 16 << 10;
const PROBLEMS_MAX: usize = 1_000;

/// A fault of a call that was given so many rows; the error says what contradicts the contract.
pub(crate) fn lift(fault: wit::Fault, rows: usize) -> Result<Fault, String> {
    let kind = match fault.kind {
        wit::FaultKind::Retriable(ms) => FaultKind::Retriable(Duration::from_millis(ms.into())),
        wit::FaultKind::Rows(bad) => FaultKind::Rows(lift_rows(bad, rows)?),
        wit::FaultKind::Fatal => FaultKind::Fatal,
        wit::FaultKind::Config(problems) => {
            let problem =
                |p: wit::ConfigProblem| (text(p.key, CODE_BYTES_MAX * 10), text(p.problem, MESSAGE_BYTES_MAX));
            FaultKind::Config(problems.into_iter().take(PROBLEMS_MAX).map(problem).collect())
        }
    };
    Ok(Fault {
        kind,
        code: text(fault.code, CODE_BYTES_MAX),
        message: text(fault.message, MESSAGE_BYTES_MAX),
        detail: text(fault.detail, DETAIL_BYTES_MAX),
    })
}

/// Bad rows of a call that was given so many rows, in ascending order; a row that is named twice counts once.
pub(crate) fn lift_rows(bad: Vec<wit::RowFault>, rows: usize) -> Result<Vec<RowFault>, String> {
    if let Some(wrong) = bad.iter().find(|fault| fault.row as usize >= rows) {
        return Err(format!("row {} is called bad, but only {rows} rows were given", wrong.row));
    }
    let row = |fault: wit::RowFault| RowFault {
        row: fault.row,
        step: fault.step,
        retriable: fault.retriable,
        code: text(fault.code, CODE_BYTES_MAX),
        message: text(fault.message, MESSAGE_BYTES_MAX),
    };
    let mut bad: Vec<_> = bad.into_iter().map(row).collect();
    bad.sort_by_key(|fault| fault.row);
    bad.dedup_by_key(|fault| fault.row);
    Ok(bad)
}

fn text(mut text: String, max: usize) -> String {
    cut(&mut text, max);
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn bad(row: u32) -> wit::RowFault {
        wit::RowFault { row, step: 0, retriable: false, code: "x".repeat(200), message: "é".repeat(4096) }
    }

    #[test]
    fn rows_are_in_range_in_order_and_once() {
        let rows = lift_rows(vec![bad(2), bad(0), bad(2)], 3).unwrap();
        assert_eq!(rows.iter().map(|r| r.row).collect::<Vec<_>>(), [0, 2]);
        assert_eq!((rows[0].code.len(), rows[0].message.len()), (CODE_BYTES_MAX, MESSAGE_BYTES_MAX));
        assert!(lift_rows(vec![bad(3)], 3).is_err());
        let kind = wit::FaultKind::Rows(vec![bad(9)]);
        let fault = wit::Fault { kind, code: String::new(), message: String::new(), detail: String::new() };
        assert!(lift(fault, 9).is_err());
    }
}
