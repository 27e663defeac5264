//! Keys and values that steps of one package hand to each other in a form of their own instead of as bytes.
//!
//! Enters: bytes that a step reads into a form. Leaves: the bytes that the form stands for. Invariant: whoever asks a record
//! for bytes gets those of the form as it is; they are made once, when they are wanted or the record leaves the chain.

use std::any::{Any, TypeId};

/// What the steps of a package make of a key or a value to work on it: the fields of an object, a tree, a bitmap. The
/// first step that works on it reads it from the bytes, the next finds it as the step before left it.
///
/// One value of the type serves all records: reading has to forget the record before.
pub trait Form: Default + 'static {
    /// True if the record no longer is what the bytes say that were read.
    fn changed(&self) -> bool;

    /// Appends the bytes that it stands for; `read` are those that it was read from.
    fn write(&self, read: &[u8], out: &mut Vec<u8>);
}

/// A form whose type is not known.
pub(crate) trait AnyForm: Any {
    fn changed(&self) -> bool;
    fn write(&self, read: &[u8], out: &mut Vec<u8>);
}

impl<F: Form> AnyForm for F {
    fn changed(&self) -> bool {
        Form::changed(self)
    }

    fn write(&self, read: &[u8], out: &mut Vec<u8>) {
        Form::write(self, read, out);
    }
}

/// The form that one part of records was last put in, and its type.
#[derive(Default)]
pub(crate) struct Held(Option<(TypeId, Box<dyn AnyForm>)>);

impl Held {
    /// True if it is of this type.
    #[inline]
    pub(crate) fn is<F: Form>(&self) -> bool {
        // Kept beside the form: asking the form is a call that the compiler cannot see through.
        self.0.as_ref().is_some_and(|(of, _)| *of == TypeId::of::<F>())
    }

    /// To be worked on: the last one, or a new one if that was of another type.
    #[inline]
    pub(crate) fn of<F: Form>(&mut self) -> Option<&mut F> {
        if !self.is::<F>() {
            self.0 = Some((TypeId::of::<F>(), Box::new(F::default())));
        }
        let (_, form) = self.0.as_mut()?;
        (&mut **form as &mut dyn Any).downcast_mut()
    }

    pub(crate) fn changed(&self) -> bool {
        self.0.as_ref().is_some_and(|(_, form)| form.changed())
    }

    pub(crate) fn write(&self, read: &[u8], out: &mut Vec<u8>) {
        if let Some((_, form)) = &self.0 {
            form.write(read, out);
        }
    }
}
