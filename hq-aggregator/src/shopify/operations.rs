//! What is said to Shopify, word for word. `node tests/web/shopify-schema.mjs` holds the files against the published schema.

/// One question or change, and the root field whose answer counts.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    pub text: &'static str,
    pub field: &'static str,
}

pub const SHOP: Operation = Operation {
    text: include_str!("operations/shop.graphql"),
    field: "shop",
};
pub const SALE_ID: Operation = Operation {
    text: include_str!("operations/sale_id.graphql"),
    field: "metafieldDefinitionCreate",
};
pub const ITEM: Operation = Operation {
    text: include_str!("operations/item.graphql"),
    field: "productVariants",
};
pub const ACTIVATE: Operation = Operation {
    text: include_str!("operations/activate.graphql"),
    field: "inventoryActivate",
};
pub const LEVEL: Operation = Operation {
    text: include_str!("operations/level.graphql"),
    field: "inventorySetQuantities",
};
pub const CHANGE: Operation = Operation {
    text: include_str!("operations/change.graphql"),
    field: "inventoryAdjustQuantities",
};
pub const ORDER: Operation = Operation {
    text: include_str!("operations/order.graphql"),
    field: "orderCreate",
};
pub const KNOWN_ORDER: Operation = Operation {
    text: include_str!("operations/known_order.graphql"),
    field: "orderByIdentifier",
};
pub const SOLD: Operation = Operation {
    text: include_str!("operations/sold.graphql"),
    field: "order",
};
pub const REFUND: Operation = Operation {
    text: include_str!("operations/refund.graphql"),
    field: "refundCreate",
};
