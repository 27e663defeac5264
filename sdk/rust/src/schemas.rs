//! The schemas of one instance: announced once by either side, known by id ever after.
//!
//! Enters: announcements of the host with its batches, definitions that a plugin writes. Leaves: ids for rows, and the
//! announcements that the next answer must carry. Invariant: the guest's ids start at 0x8000 and never change meaning.

use std::cell::RefCell;
use std::rc::Rc;

use crate::bindings::base::lockgate::connect::batches;

/// The first id that a guest may give out.
const GUEST_FIRST: u32 = 0x8000;
/// The last id.
const GUEST_LAST: u32 = 0xffff;

#[derive(Default)]
struct Table {
    host: Vec<Option<Rc<str>>>,
    guest: Vec<Rc<str>>,
    announced: usize,
}

/// The schemas of this instance. Clones share one table.
#[derive(Clone, Default)]
pub struct Schemas(Rc<RefCell<Table>>);

impl Schemas {
    /// The schema part of Kafka Connect's JSON envelope, as JSON text; none for id 0 and ids that nobody announced.
    pub fn definition(&self, id: u32) -> Option<Rc<str>> {
        let table = self.0.borrow();
        if id >= GUEST_FIRST {
            return table.guest.get((id - GUEST_FIRST) as usize).cloned();
        }
        table.host.get(id as usize).cloned().flatten()
    }

    /// The id for a definition, announced with the next batch if it is new. 0 if all 32,768 ids are used up.
    pub fn announce(&self, definition: &str) -> u32 {
        let mut table = self.0.borrow_mut();
        let index = match table.guest.iter().position(|known| &**known == definition) {
            Some(index) => index,
            None if table.guest.len() > (GUEST_LAST - GUEST_FIRST) as usize => return 0,
            None => {
                table.guest.push(definition.into());
                table.guest.len() - 1
            }
        };
        GUEST_FIRST + u32::try_from(index).unwrap_or(0)
    }

    pub(crate) fn learn(&self, announced: Vec<batches::Schema>) {
        if announced.is_empty() {
            return;
        }
        let mut table = self.0.borrow_mut();
        for schema in announced.into_iter().filter(|s| s.id < GUEST_FIRST) {
            let index = schema.id as usize;
            if table.host.len() <= index {
                table.host.resize(index + 1, None);
            }
            table.host[index] = Some(schema.definition.into());
        }
    }

    pub(crate) fn unannounced(&self) -> Vec<batches::Schema> {
        let mut table = self.0.borrow_mut();
        let first = table.announced;
        table.announced = table.guest.len();
        let id = |index: usize| GUEST_FIRST + u32::try_from(index).unwrap_or(0);
        let new = table.guest.iter().enumerate().skip(first);
        new.map(|(index, text)| batches::Schema { id: id(index), definition: text.to_string() }).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_definition_is_announced_once_and_keeps_its_id() {
        let schemas = Schemas::default();
        assert_eq!(schemas.announce("{\"type\":\"string\"}"), 0x8000);
        assert_eq!(schemas.announce("{\"type\":\"int32\"}"), 0x8001);
        assert_eq!(schemas.announce("{\"type\":\"string\"}"), 0x8000);
        assert_eq!(schemas.unannounced().len(), 2);
        assert!(schemas.unannounced().is_empty());
        assert_eq!(&*schemas.definition(0x8001).unwrap(), "{\"type\":\"int32\"}");
    }

    #[test]
    fn the_hosts_schemas_are_known_by_their_ids() {
        let schemas = Schemas::default();
        schemas.learn(vec![batches::Schema { id: 7, definition: "{}".to_owned() }]);
        assert_eq!(&*schemas.definition(7).unwrap(), "{}");
        assert!(schemas.definition(0).is_none() && schemas.definition(6).is_none() && schemas.definition(8).is_none());
    }
}
