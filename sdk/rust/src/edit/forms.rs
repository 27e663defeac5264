//! Keys and values of a record that steps hold in a form.
//!
//! Enters: the bytes of a key or value, a form. Leaves: bytes again, once somebody wants them. Invariant: while a form is held, the
//! span in the row is that of the bytes which it was read from, and nobody is shown those as the value.

use std::convert::Infallible;

use super::{Edit, Outcome, Part, bytes};
use crate::form::Form;

impl Edit<'_> {
    /// True if the key is held in this form, by a step before this one.
    #[inline]
    pub fn key_is<F: Form>(&self) -> bool {
        self.is::<F>(Part::Key)
    }

    /// True if the value is held in this form.
    #[inline]
    pub fn value_is<F: Form>(&self) -> bool {
        self.is::<F>(Part::Value)
    }

    #[inline]
    fn is<F: Form>(&self, part: Part) -> bool {
        self.held[part as usize] && self.out.forms[part as usize].is::<F>()
    }

    /// Works on the key in a form; see [`Edit::form_value`].
    #[inline]
    pub fn form_key<F: Form, E>(
        &mut self,
        read: impl FnOnce(&mut F, &[u8]) -> Result<(), E>,
        change: impl FnOnce(&mut F, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.form(Part::Key, read, change)
    }

    /// Works on the value in a form that the steps of the package hand to each other. `read` gets the bytes, unless a step
    /// before holds the value in this form already; `change` gets the form, and the bytes that it was read from, which
    /// are not those of the value once something is changed. If `read` fails the record stays as it was; if `change`
    /// does, the value is what `change` left.
    #[inline]
    pub fn form_value<F: Form, E>(
        &mut self,
        read: impl FnOnce(&mut F, &[u8]) -> Result<(), E>,
        change: impl FnOnce(&mut F, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.form(Part::Value, read, change)
    }

    #[inline]
    fn form<F: Form, E>(
        &mut self,
        part: Part,
        read: impl FnOnce(&mut F, &[u8]) -> Result<(), E>,
        change: impl FnOnce(&mut F, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let fresh = !self.is::<F>(part);
        if fresh {
            self.settle(part);
        }
        let span = self.span(part);
        let Outcome { forms, appended, .. } = &mut *self.out;
        let bytes = bytes(&self.batch.data, appended, span).unwrap_or_default();
        // There always is one: what is of another type gives way.
        let Some(form) = forms[part as usize].of::<F>() else { return Ok(()) };
        if fresh {
            read(form, bytes)?;
            self.held[part as usize] = true;
        }
        self.seen[part as usize].take();
        change(form, bytes)
    }

    /// The bytes that a form stands for.
    #[cold]
    pub(super) fn seen(&self, part: Part) -> &[u8] {
        self.seen[part as usize].get_or_init(|| {
            let mut bytes = Vec::new();
            let (form, read) = (&self.out.forms[part as usize], self.bytes(self.span(part)).unwrap_or_default());
            if form.changed() {
                form.write(read, &mut bytes);
            } else {
                bytes.extend_from_slice(read);
            }
            bytes
        })
    }

    /// Bytes again, in place of forms.
    #[inline]
    pub(crate) fn settle_all(&mut self) {
        self.settle(Part::Key);
        self.settle(Part::Value);
    }

    /// Bytes again, in place of a form.
    #[inline]
    pub(super) fn settle(&mut self, part: Part) {
        if self.held[part as usize] {
            self.write(part);
        }
    }

    fn write(&mut self, part: Part) {
        let form = std::mem::take(&mut self.out.forms[part as usize]);
        if form.changed() {
            let seen = self.seen[part as usize].take();
            let written = self.rewrite(self.span(part), |read, out| -> Result<(), Infallible> {
                match seen {
                    Some(bytes) => out.extend_from_slice(&bytes),
                    None => form.write(read, out),
                }
                Ok(())
            });
            let Ok(span) = written;
            self.set(part, span);
        }
        self.held[part as usize] = false;
        self.out.forms[part as usize] = form;
    }
}
