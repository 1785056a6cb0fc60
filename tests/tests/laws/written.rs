//! The world written down: entry bytes, chain, export lines and projections, as docs/contracts.md, section 8, has them.
//!
//! Payload bytes and bodies come from the real protocol; header, chain and lines are written here by hand.

use backroom_protocol::payload;
use backroom_protocol::v1::journal as wire;
use data_encoding::{BASE64, HEXLOWER};
use prost::Message;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::world::{Shift, ShopWorld, Spec, uuid};

const START: i64 = 1_795_000_000_000_000;
const DAY: i32 = 20_775;

impl ShopWorld {
    /// The box's export.
    pub fn lines(&self) -> Vec<Value> {
        let mut lines = Vec::new();
        let (mut epoch, mut seq, mut last) = (0, 0, [0; 32]);
        for (at, spec) in self.specs.iter().enumerate() {
            if spec.epoch != epoch {
                (epoch, seq, last) = (spec.epoch, 0, [0; 32]);
            }
            seq += 1;
            let before = spec.prev_hash.unwrap_or(last);
            let (line, hash) = self.line(spec, seq, before, START + at as i64 * 1_000_000);
            last = hash;
            lines.push(line);
        }
        lines
    }

    fn line(&self, spec: &Spec, seq: u64, before: [u8; 32], at: i64) -> (Value, [u8; 32]) {
        let (payload, body) = payload_of(spec);
        let word = spec.body["fact"].as_str().unwrap();
        let person = spec.command.is_some();
        let mut bytes = b"BKRJ\0\x01".to_vec();
        bytes.extend(spec.kind.to_be_bytes());
        bytes.extend(code(self.tenant));
        bytes.extend(code(self.store));
        bytes.extend(spec.epoch.to_be_bytes());
        bytes.extend([0, 1, 0, 0]);
        bytes.extend(seq.to_be_bytes());
        bytes.extend(before);
        bytes.extend(at.to_be_bytes());
        bytes.extend(DAY.to_be_bytes());
        bytes.extend(spec.command.unwrap_or(0).to_be_bytes());
        bytes.extend(code(if person { "r1" } else { "" }));
        bytes.extend(code(if person { "s101" } else { "" }));
        bytes.extend([0; 48]);
        bytes.extend((payload.len() as u32).to_be_bytes());
        assert_eq!(bytes.len(), 200);
        bytes.extend(&payload);
        let hash: [u8; 32] = Sha256::digest(&bytes).into();
        let line = json!({
            "epoch": spec.epoch, "seq": seq, "time": jiff::Timestamp::from_microsecond(at).unwrap().to_string(), "business_day": "2026-11-18", "kind": word,
            "command_id": spec.command.map(uuid), "device": person.then_some("r1"), "staff": person.then_some("s101"),
            "prev_hash": HEXLOWER.encode(&before), "hash": HEXLOWER.encode(&hash), "bytes": BASE64.encode(&bytes), "body": body,
        });
        (line, hash)
    }

    pub fn tills(&self) -> Vec<Value> {
        let line = |shift: &Shift| {
            json!({"projection": "tills", "key": format!("{}/t1/{}", self.store, uuid(shift.id)), "value": {
                "float": shift.float, "cash_taken": shift.cash_taken, "change": shift.change, "cash_refunds": shift.cash_refunds,
                "paid_in": shift.paid_in, "paid_out": shift.paid_out, "drops": shift.drops, "expected": shift.expected(),
                "counted": shift.counted, "open": shift.counted.is_none()}})
        };
        self.shifts.iter().map(line).collect()
    }

    pub fn stock_lines(&self) -> Vec<Value> {
        let line = |(sku, held): (&String, &i64)| {
            let key = format!("{}/{sku}", self.store);
            json!({"projection": "stock", "key": key, "value": {"on_hand": held}})
        };
        self.stock.iter().map(line).collect()
    }

    pub fn sales_lines(&self) -> Vec<Value> {
        let line = |(number, value): (&String, &Value)| {
            let key = format!("{}/{number}", self.store);
            json!({"projection": "sales", "key": key, "value": value})
        };
        self.sales.iter().map(line).collect()
    }
}

fn code(text: &str) -> [u8; 16] {
    let mut code = [0; 16];
    code[..text.len()].copy_from_slice(text.as_bytes());
    code
}

/// Payload bytes and exported body. Card tenders and newer kinds, which the protocol does not know yet, are added by hand.
fn payload_of(spec: &Spec) -> (Vec<u8>, Value) {
    if spec.kind > 12 {
        return (b"newer".to_vec(), spec.body.clone());
    }
    let mut known = spec.body.clone();
    let cards = known["tenders"]
        .as_array()
        .is_some_and(|tenders| tenders.iter().any(|tender| tender["tender"] == "card"));
    if !cards {
        let fact = serde_json::from_value(known.clone()).unwrap_or_else(|why| panic!("{why}: {known}"));
        return (payload::encode(&fact), serde_json::to_value(&fact).unwrap());
    }
    for tender in known["tenders"].as_array_mut().unwrap() {
        tender["tender"] = json!("cash");
        tender.as_object_mut().unwrap().remove("attempt");
    }
    let cash = payload::encode(&serde_json::from_value(known).unwrap());
    let mut ticket = wire::ClosedTicket::decode(cash.as_slice()).unwrap();
    for tender in &mut ticket.tenders {
        tender.kind = "card".into();
    }
    (ticket.encode_to_vec(), spec.body.clone())
}
