//! `#[derive(Options)]`: a struct is the config definitions of a plugin and what its settings are read into.
//!
//! Enters: a struct with named fields. Leaves: an implementation of `lockgate_sdk::Options`. Invariant: nothing is decided here
//! that the builder `lockgate_sdk::Config` does not decide: an attribute is a call of its method of that name.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Data, DeriveInput, Error, Expr, Field, Fields, Ident, Lit, LitStr, Meta, Path, Token, parenthesized,
};

/// See `lockgate_sdk::Options`.
#[proc_macro_derive(Options, attributes(option))]
pub fn options(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let input = syn::parse_macro_input!(input as DeriveInput);
    implementation(&input).unwrap_or_else(Error::into_compile_error).into()
}

fn implementation(input: &DeriveInput) -> syn::Result<TokenStream> {
    let Data::Struct(data) = &input.data else {
        return Err(Error::new_spanned(input, "Options can be derived for a struct only"));
    };
    let Fields::Named(fields) = &data.fields else {
        return Err(Error::new_spanned(input, "Options needs fields with names: each is a key of the configuration"));
    };
    let (mut keys, mut reads) = (TokenStream::new(), TokenStream::new());
    for field in &fields.named {
        let key = Key::of(field)?;
        keys.extend(key.definition());
        reads.extend(key.reading());
    }
    let (name, (generics, types, clause)) = (&input.ident, input.generics.split_for_impl());
    Ok(quote! {
        impl #generics ::lockgate_sdk::Options for #name #types #clause {
            fn config() -> ::lockgate_sdk::Config {
                let config = ::lockgate_sdk::Config::new();
                #keys
                config
            }
            fn read(settings: &mut ::lockgate_sdk::Settings) -> Self {
                Self { #reads }
            }
        }
    })
}

/// A field.
struct Key<'a> {
    field: &'a Ident,
    of: &'a syn::Type,
    name: String,
    doc: String,
    check: Option<Path>,
    calls: Vec<(Ident, Punctuated<Expr, Token![,]>)>,
}

impl<'a> Key<'a> {
    fn of(field: &'a Field) -> syn::Result<Self> {
        let Some(ident) = &field.ident else { return Err(Error::new_spanned(field, "a key needs a name")) };
        let mut key = Self {
            field: ident,
            of: &field.ty,
            name: ident.to_string().trim_start_matches("r#").replace('_', "."),
            doc: documentation(&field.attrs),
            check: None,
            calls: Vec::new(),
        };
        for attribute in field.attrs.iter().filter(|a| a.path().is_ident("option")) {
            for Setting { name, arguments } in
                attribute.parse_args_with(Punctuated::<Setting, Token![,]>::parse_terminated)?
            {
                match (name.to_string().as_str(), arguments.first()) {
                    ("name", Some(Expr::Lit(literal))) => match &literal.lit {
                        Lit::Str(text) => key.name = text.value(),
                        other => return Err(Error::new_spanned(other, "a key's name is a string")),
                    },
                    ("check", Some(Expr::Path(path))) => key.check = Some(path.path.clone()),
                    ("check", _) => {
                        return Err(Error::new_spanned(name, "check = a function `fn(&T) -> Result<(), String>`"));
                    }
                    _ => key.calls.push((name, arguments)),
                }
            }
        }
        Ok(key)
    }

    /// The key in the builder. What has neither a default nor a value of its own for "nothing" is required.
    fn definition(&self) -> TokenStream {
        let Self { of, name, doc, calls, .. } = self;
        let calls = calls.iter().map(|(method, arguments)| match method.to_string().as_str() {
            "one_of" | "dependents" => quote! { .#method(&[#arguments]) },
            _ => quote! { .#method(#arguments) },
        });
        let has_default = self.calls.iter().any(|(method, _)| method == "default");
        quote! {
            let config = <#of as ::lockgate_sdk::OptionValue>::begin(config, #name, #has_default).doc(#doc) #(#calls)*;
        }
    }

    fn reading(&self) -> TokenStream {
        let Self { field, of, name, check, .. } = self;
        let check = check.as_ref().map(|check| {
            quote! { if let ::core::result::Result::Err(why) = #check(&value) { settings.problem(#name, why); } }
        });
        quote! { #field: { let value = <#of as ::lockgate_sdk::OptionValue>::read(settings, #name); #check value }, }
    }
}

/// `required`, `default = 5`, `between(1.0, 5.0)`.
struct Setting {
    name: Ident,
    arguments: Punctuated<Expr, Token![,]>,
}

impl Parse for Setting {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let (name, mut arguments) = (input.parse()?, Punctuated::new());
        if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            arguments.push(input.parse()?);
        } else if input.peek(syn::token::Paren) {
            let inside;
            parenthesized!(inside in input);
            arguments = Punctuated::parse_terminated(&inside)?;
        }
        Ok(Self { name, arguments })
    }
}

/// The lines of a doc comment as one text.
fn documentation(attributes: &[Attribute]) -> String {
    let line = |attribute: &Attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(LitStr::value(text).trim().to_owned()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    };
    attributes.iter().filter_map(line).collect::<Vec<_>>().join(" ").trim().to_owned()
}
