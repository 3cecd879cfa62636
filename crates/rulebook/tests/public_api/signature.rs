//! Prints the signature of a Rust item: its declaration without function bodies, values, private members and
//! documentation.

use quote::ToTokens;
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Block, Expr, Fields, File, ImplItem, Item, ItemImpl, ItemStruct, ItemTrait, TraitItem, Type};
use syn::{Visibility, parse_quote};

/// Returns the signature of an item as text. The text is empty if the item has no public part.
pub fn print_signature(item: &Item) -> String {
    let mut item = item.clone();
    NonSignatureRemover.visit_item_mut(&mut item);
    if matches!(&item, Item::Impl(item) if item.trait_.is_none() && item.items.is_empty()) {
        return String::new();
    }
    prettyplease::unparse(&File { shebang: None, attrs: Vec::new(), items: vec![item] })
}

/// Returns `true` if one of an item's attributes omits the item from the documentation.
pub fn is_hidden_in_docs(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| attribute.to_token_stream().to_string() == "# [doc (hidden)]")
}

/// Removes bodies, comments and attributes from an item, so that only its signature remains.
struct NonSignatureRemover;

impl VisitMut for NonSignatureRemover {
    fn visit_attributes_mut(&mut self, attributes: &mut Vec<Attribute>) {
        const KEPT: [&str; 4] = ["cfg", "deprecated", "derive", "non_exhaustive"];
        attributes.retain(|attribute| KEPT.iter().any(|kept| attribute.path().is_ident(kept)));
    }

    fn visit_block_mut(&mut self, body: &mut Block) {
        body.stmts.clear();
    }

    fn visit_receiver_mut(&mut self, receiver: &mut syn::Receiver) {
        receiver.mutability = receiver.mutability.filter(|_| receiver.reference.is_some());
        visit_mut::visit_receiver_mut(self, receiver);
    }

    fn visit_pat_ident_mut(&mut self, name: &mut syn::PatIdent) {
        name.mutability = None;
    }

    fn visit_item_const_mut(&mut self, item: &mut syn::ItemConst) {
        *item.expr = placeholder_expression();
        visit_mut::visit_item_const_mut(self, item);
    }

    fn visit_item_struct_mut(&mut self, item: &mut ItemStruct) {
        match &mut item.fields {
            Fields::Named(fields) => {
                let all = std::mem::take(&mut fields.named);
                let has_private = all.iter().any(|field| !is_public(&field.vis));
                fields.named.extend(all.into_iter().filter(|field| is_public(&field.vis)));
                if has_private {
                    fields.named.push(parse_quote!(_private: _));
                }
            }
            // A private field is kept as `_`, because its position determines the names of the fields after it.
            Fields::Unnamed(fields) => {
                for field in fields.unnamed.iter_mut().filter(|field| !is_public(&field.vis)) {
                    field.ty = Type::Infer(parse_quote!(_));
                }
            }
            Fields::Unit => {}
        }
        visit_mut::visit_item_struct_mut(self, item);
    }

    fn visit_item_trait_mut(&mut self, item: &mut ItemTrait) {
        item.items.retain(|item| !matches!(item, TraitItem::Fn(function) if is_hidden_in_docs(&function.attrs)));
        visit_mut::visit_item_trait_mut(self, item);
    }

    fn visit_item_impl_mut(&mut self, item: &mut ItemImpl) {
        let of_trait = item.trait_.is_some();
        item.items.retain(|item| match item {
            ImplItem::Fn(function) => !of_trait && is_public(&function.vis) && !is_hidden_in_docs(&function.attrs),
            ImplItem::Const(constant) => !of_trait && is_public(&constant.vis) && !is_hidden_in_docs(&constant.attrs),
            _ => true,
        });
        visit_mut::visit_item_impl_mut(self, item);
    }

    fn visit_impl_item_const_mut(&mut self, item: &mut syn::ImplItemConst) {
        item.expr = placeholder_expression();
        visit_mut::visit_impl_item_const_mut(self, item);
    }
}

pub fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn placeholder_expression() -> Expr {
    parse_quote!(_)
}
