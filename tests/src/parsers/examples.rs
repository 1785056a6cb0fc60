//! Bytes and texts each parser reads without a refusal.

use backroom_core::accounts::card_number::CardNumber;
use backroom_core::catalog::PriceChange;
use backroom_core::directive::{Address, BatchHead, Directive, Order, Resend, Watermark};
use backroom_core::facts::{CatalogApplied, Fact};
use backroom_core::ids::{StoreId, TenantId};
use backroom_core::journal::proof::Proof;
use backroom_core::journal::{Entry, Epoch, FiscalBlock, Hash, Head, Header, Retention, Seq};
use backroom_core::money::Money;
use backroom_core::time::{BusinessDay, Instant};
use backroom_protocol::messages::{self, Hello};
use backroom_protocol::payload;
use data_encoding::HEXLOWER_PERMISSIVE;
use ed25519_dalek::SigningKey;

fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

fn bytes(hex: &[&str]) -> Vec<Vec<u8>> {
    hex.iter()
        .filter_map(|hex| HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).ok())
        .collect()
}

pub fn barcodes() -> Vec<Vec<u8>> {
    texts(&[
        "96385074",
        "036000291452",
        "4006381333931",
        "10614141000415",
        "04252614",
        "]E004252614",
        "]E34006381333931 12345",
        "]E496385074",
        "2212349010505",
        "2300010012504",
        "]C10109506000134352\u{1d}10ABC",
        "]d20109506000134352\u{1d}1726123110ABC\u{1d}21XYZ",
        "^0109506000134352^10AB",
        "01095060001343523103001250",
        "(01)09506000134352(17)261231(10)ABC123(21)XYZ",
        "(00)106141412345678908",
        "(8003)006141411234525678",
        "(414)0614141123452(254)5678",
        "https://id.gs1.org/01/09506000134352/10/ABC/21/X%2FY?17=261231&3103=001250",
        "https://example.com/some/shop/gtin/9506000134352/lot/A?x=y#z",
        "R-r1-1-17-65",
        "R-north-desk-2-1000-83",
        "APPLES",
        "4111111111111111",
        "22 PPPPPPCVVVVV price 2!",
        "23 PPPPPPPPVVVV weight 3",
    ])
}

pub fn tags() -> Vec<Vec<u8>> {
    let words = [
        "urn:epc:tag:sgtin-96:3.0614141.812345.6789",
        "urn:epc:tag:sgtin-198:3.0614141.712345.32a%2Fb",
        "urn:epc:tag:sscc-96:3.0614141.1234567890",
        "urn:epc:tag:sgln-96:3.0614141.12345.400",
        "urn:epc:tag:sgln-195:3.0614141.12345.32a%2Fb",
        "urn:epc:tag:grai-96:3.0614141.12345.5678",
        "urn:epc:tag:grai-170:3.0614141.12345.32a%2Fb",
        "urn:epc:tag:giai-96:3.0614141.5678",
        "urn:epc:tag:giai-202:3.0614141.32a%2Fb",
        "urn:epc:tag:gid-96:31415.271828.1414",
        "urn:epc:id:sgtin:0614141.812345.6789",
        "urn:epc:id:sscc:0614141.1234567890",
        "urn:epc:id:sgln:061414112345..0",
        "urn:epc:id:grai:0614141.12345.400",
        "urn:epc:id:giai:0614141.12345400",
        "urn:epc:id:adi:2S194..12345%2F",
        "urn:epc:raw:96.x3074257BF7194E4000001A85",
        "106141412345678908",
        "SN-000 17/4",
        "taken_as_sample",
        "shelf 7, left",
    ];
    let bits = [
        "3074257bf7194e4000001a85",
        "3674257bf6b7a659b2c2bf100000000000000000000000000000",
        "3174257bf4499602d2000000",
        "3274257bf46072000000162e",
        "3374257bf40c0e400000162e",
        "3774257bf40c0e59b2c2bf1000000000000000000000",
        "3474257bf40000000000162e",
        "3874257bf59b2c2bf10000000000000000000000000000000000",
        "350007ab70425d4000000586",
        "2c74257bf46072000000162e",
        "2d74257bf4499602d2000000",
    ];
    [texts(&words), texts(&bits), bytes(&bits)].concat()
}

pub fn decode() -> Vec<Vec<u8>> {
    let lines = [barcodes().join(&b"\n"[..]), tags().join(&b"\r\n"[..])];
    let mut all = [barcodes(), tags()].concat();
    // Twice, so that many lines at once come often enough.
    all.extend(lines.iter().chain(&lines).map(|lines| lines[..lines.len().min(900)].to_vec()));
    all
}

pub fn ids() -> Vec<Vec<u8>> {
    let mut all = texts(&[
        "berlin-mitte-001",
        "r1",
        "0192f0c1-7a1b-7c3d-8e4f-5a6b7c8d9e0f",
        "r1/2/17",
        "r1/4294967295/18446744073709551615",
        "INV/1/12",
        "Wool & Sons\nHarbour Street 1\n20457 Hamburg\nDE123456789",
    ]);
    all.push(b"berlin\0\0\0\0\0\0\0\0\0\0".to_vec());
    all.push(vec![0xff; 16]);
    all
}

pub fn numbers() -> Vec<Vec<u8>> {
    texts(&[
        "EUR",
        "JPY",
        "KWD",
        "12.50",
        "-3",
        "1250",
        "1.250",
        "0.0001",
        "10000000000.00",
        "1.0837",
        "0.92",
        "999999999",
        "0.19",
        "0",
        "0.0725",
        "1",
        "12.5",
        "100",
        "0.0001",
        "kg",
        "ft2",
        "16:00",
        "winter-2026",
        "food",
    ])
}

pub fn words() -> Vec<Vec<u8>> {
    texts(&[
        "TEE-M",
        "a_b.c-9",
        "drinks/beer",
        "gold-members",
        "list_price",
        "damage",
        "void_line",
        "\0\u{1}",
    ])
}

pub fn times() -> Vec<Vec<u8>> {
    let mut all = texts(&[
        "Europe/Berlin\n02:00",
        "America/New_York\n00:00",
        "Pacific/Apia\n12:00",
        "UTC\n03:30",
    ]);
    all.push(1_795_000_000_000_000_i64.to_be_bytes().to_vec());
    all.push(20_775_i32.to_be_bytes().to_vec());
    all
}

pub fn accounts() -> Vec<Vec<u8>> {
    let mut all = texts(&["9000 0000 0000 0032", "4711", "123456", "points", "EUR"]);
    let cards = (1..50).filter_map(|serial| CardNumber::from_serial(serial).ok());
    all.extend(cards.map(|card| card.to_print().into_bytes()));
    all.push(12_500_i64.to_be_bytes().to_vec());
    all
}

pub fn subjects() -> Vec<Vec<u8>> {
    texts(&["br.v1.nord.harbour.up.journal", "br.v1.a.b.up.hello", "br.v1.nord.harbour.up.x.y"])
}

pub fn till_words() -> Vec<Vec<u8>> {
    texts(&[
        "12.50",
        "12,5",
        "0.001",
        "99999999",
        "3*MUG",
        "0.250 * 2000001",
        "+pay",
        "pay 20",
        "void 2",
        "return r1/1/17",
        "in 5.00 change coins",
        "drop 200.00",
        "x",
        "4006381333931",
    ])
}

/// A receipt with text, a code and a cut; a pulse of the drawer; what a printer answers.
pub fn escpos() -> Vec<Vec<u8>> {
    bytes(&[
        "1b4048656c6c6f0a1d6b490437313131321d564200",
        "1b700019fa",
        "1b401d286b0400314132001d286b03003143061d286b0300314531",
        "1d49431d7201100401",
        "12121212",
    ])
}

/// Authorisation with an amount, its status, its end; an acknowledgement; a long data block.
pub fn zvt() -> Vec<Vec<u8>> {
    bytes(&[
        "06010a04000000001250490978",
        "040f1a2700040000000012500b0001232912345678490978870017",
        "060f00",
        "800000",
        "04ff020a01",
        "06d3ff0300414243",
    ])
}

/// Keepalive, an added rospec's answer and a report of one tag, each with the frame's ten bytes.
pub fn llrp() -> Vec<Vec<u8>> {
    bytes(&[
        "043e0000000a00000001",
        "041e0000001200000002011f000800000000",
        "043d0000002500000003 00f0001b8d3074257bf7194e4000001a8586ca82000593f2a1b2c3d4e5"
            .replace(' ', "")
            .as_str(),
        "043f0000001600000004 00f6000c 008000080005 93f2".replace(' ', "").as_str(),
    ])
}

fn address() -> Option<Address> {
    Some(Address {
        tenant: "nord".parse::<TenantId>().ok()?,
        store: "harbour".parse::<StoreId>().ok()?,
    })
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[9; 32])
}

fn entries() -> Option<Vec<Entry>> {
    let Address { tenant, store } = address()?;
    let mut entries: Vec<Entry> = Vec::new();
    for fact in facts() {
        let header = Header {
            tenant,
            store,
            epoch: Epoch(1),
            seq: Seq(entries.len() as u64 + 1),
            prev_hash: entries.last().map_or(Head::start(Epoch(1)).hash, |before| before.hash),
            at: Instant::from_micros(1_795_000_000_000_000).ok()?,
            time_trusted: true,
            business_day: BusinessDay::from_days(20_775).ok()?,
            kind: fact.kind() as u16,
            command_id: None,
            device: "r1".parse().ok(),
            staff: "s1".parse().ok(),
            retention: Retention::default(),
            fiscal: FiscalBlock::default(),
        };
        entries.push(Entry::write(header, &payload::encode(&fact)));
    }
    Some(entries)
}

pub fn journal() -> Vec<Vec<u8>> {
    let entries = entries().unwrap_or_default();
    let mut all: Vec<Vec<u8>> = entries.iter().map(|entry| entry.bytes.clone()).collect();
    all.extend(proof(&entries).map(|proof| proof.to_bytes()));
    all.extend(proof(&entries).map(|proof| proof.segment.to_bytes().to_vec()));
    all.push(Hash([7; 32]).to_string().into_bytes());
    all.push([b'a'; 128].to_vec());
    all
}

fn proof(entries: &[Entry]) -> Option<Proof> {
    let with_facts: Vec<_> = entries.iter().map(|entry| (entry.clone(), None)).collect();
    Proof::of_newest(Head::start(Epoch(1)), &with_facts, 1, &key()).ok()
}

pub fn proofs() -> Vec<Vec<u8>> {
    let proof = proof(&entries().unwrap_or_default());
    let binary = proof.as_ref().map(Proof::to_bytes);
    let json = proof.as_ref().and_then(|proof| serde_json::to_vec(proof).ok());
    binary.into_iter().chain(json).collect()
}

pub fn messages() -> Vec<Vec<u8>> {
    let Some((address, entries)) = address().zip(entries()) else {
        return Vec::new();
    };
    let (Some(last), Ok(at)) = (entries.last(), Instant::from_micros(1_795_000_000_000_000)) else {
        return Vec::new();
    };
    let head = BatchHead {
        address,
        epoch: Epoch(1),
        first: Seq(1),
        last: last.header.seq,
        round: 1,
        last_hash: last.hash,
    };
    let hello = Hello {
        address,
        heads: vec![Head {
            epoch: Epoch(1),
            seq: last.header.seq,
            hash: last.hash,
        }],
        directives_through: 3,
        version: "0.1.0".to_owned(),
    };
    let mark = Watermark {
        address,
        incarnation: uuid::Uuid::from_u128(7),
        counter: 12,
        epoch: Epoch(1),
        held: Seq(2),
        applied: Seq(2),
        hash: last.hash,
    };
    let resend = Resend {
        address,
        epoch: Epoch(1),
        first: Seq(1),
        last: Seq(2),
        round: 4,
    };
    let change = "TEE-M".parse().ok().zip("EUR".parse().ok()).map(|(sku, currency)| PriceChange {
        sku,
        price: Money(1990),
        currency,
        effective_at: at,
    });
    let directive = change.map(|change| Directive {
        address,
        number: 5,
        order: Order::Price(change),
    });
    let key = key();
    let mut all = vec![
        messages::write_batch(&head, entries.iter().map(|entry| entry.bytes.clone()).collect(), &key),
        messages::write_hello(&hello, &key),
        messages::write_watermark(&mark, &key),
        messages::write_resend(&resend, &key),
    ];
    all.extend(directive.map(|directive| messages::write_directive(&directive, &key)));
    all
}

/// Facts of several rooms. The room of payloads tries one of each kind itself.
fn facts() -> Vec<Fact> {
    let applied = Fact::CatalogApplied(CatalogApplied {
        version: 3,
        hash: Hash([1; 32]),
        items: 20_000,
    });
    let read = FACTS.iter().filter_map(|fact| serde_json::from_str(fact).ok());
    std::iter::once(applied).chain(read).collect()
}

const FACTS: &[&str] = &[
    r#"{"fact":"epoch_opened","reason":"new_store","previous":null,"series":1,"currency":"EUR","zone":"Europe/Berlin","day_end":"02:00"}"#,
    r#"{"fact":"stock_opened","moves":[{"sku":"TEE-M","delta":5000,"reason":"opening"}]}"#,
    r#"{"fact":"register_enrolled","register":"r1","till":"t1"}"#,
    r#"{"fact":"signed_in","register":"r1","staff":"s1","session":4}"#,
    r#"{"fact":"price_directed","directive":5,"change":{"sku":"TEE-M","price":1990,"currency":"EUR","effective_at":"2026-11-21T10:00:00Z"}}"#,
    r#"{"fact":"directive_refused","directive":6,"why":"no such item"}"#,
];

pub fn payloads() -> Vec<Vec<u8>> {
    facts().iter().map(payload::encode).collect()
}

const CATALOG: &str = r#"{"version": 1, "currency": "EUR", "prices": "inclusive",
    "tax_classes": [{"code": "A", "name": "standard", "rate": "0.19"}, {"code": "Z", "name": "two", "taxes": [{"tax": "state", "rate": "0.04"}, {"tax": "city", "rate": "0.01", "compound": true}]}],
    "units": [{"code": "kg", "name": "kilogram"}],
    "items": [{"sku": "CAP", "name": "Cap", "codes": ["4006381333931"], "tax_class": "A", "price": 1490, "category": "clothing/hats", "min_age": 18},
        {"sku": "CAP-M", "name": "Cap M", "tax_class": "Z", "price": 1490, "variant_of": "CAP", "options": {"size": "M"}, "deposit": "BOX"},
        {"sku": "BOX", "name": "Box", "tax_class": "A", "price": 25, "discountable": false},
        {"sku": "APPLE", "name": "Apples", "tax_class": "A", "price": 299, "sold_by": "measure", "unit": "kg"}],
    "price_books": [{"id": "b", "priority": 1, "from": "2026-11-01T00:00:00Z", "prices": [{"sku": "CAP", "price": 1400, "min_quantity": 2000}]}],
    "promotions": [{"id": "p", "name": "P", "priority": 1, "kind": "mix_match", "on": {"all": true}, "quantity": 3000, "price": 4000},
        {"id": "q", "name": "Q", "priority": 1, "kind": "basket", "percent": "10", "combine": "stacks", "days": ["fri"], "hours": [{"from": "16:00", "to": "18:00"}]}],
    "tax_holidays": []}"#;

const BASKET: &str = r#"{"at": "2026-11-21T10:00:00Z", "zone": "Europe/Berlin", "cash_step": 5, "coupons": ["X"],
    "lines": [{"code": "4006381333931", "quantity": 4000}, {"sku": "APPLE", "quantity": 1255, "discount": {"percent": "10"}},
        {"sku": "CAP", "price": 1000, "reason": "torn"}, {"sku": "CAP", "quantity": -1000}], "discount": {"amount": 100}}"#;

pub fn price() -> Vec<Vec<u8>> {
    vec![[CATALOG.as_bytes(), &[0], BASKET.as_bytes()].concat()]
}

pub fn forms() -> Vec<Vec<u8>> {
    let mut all = texts(FACTS);
    all.extend(texts(&[
        CATALOG,
        r#"{"order":"price","sku":"TEE-M","price":1990,"currency":"EUR","effective_at":"2026-11-21T10:00:00Z"}"#,
        r#"{"rules":{"discount":{"verdict":"allow","limits":{"percent_hundredths":1000},"above":"approve"}},"approves":{"discount":{}}}"#,
        r#"{"counts":[{"currency":"EUR","pieces":[{"value":500,"pieces":3}],"total":1500}],"tenders":[{"tender":"voucher","amount":500}]}"#,
        r#"{"keyed_most":50000,"refund_order":["card","cash"],"kept_days":30}"#,
        r#"{"sku":"TEE-M","delta":-1000,"reason":"sale"}"#,
        r#"{"from":"USD","to":"EUR","rate":"0.92"}"#,
        r#"{"points":1,"per":100,"excluded":["tobacco"],"tiers":[{"code":"gold","from_points":1000,"percent":150}],"burn_points":100,"burn_worth":100,"valid_days":365}"#,
    ]));
    all.extend(proofs().pop());
    all
}

pub fn counter() -> Vec<Vec<u8>> {
    texts(&[
        "4006381333931\n2000\n\n50.00",
        "APPLE\n1250\n\n5",
        "2200010004502\n1000\n\n4.50",
        "2300010012504\n1000\n\n100",
        "(01)04006381333931(3103)001250\n1000",
        "FLOWERS\n1000\n5.00\n5.00",
        "urn:epc:id:sgtin:4006381.033394.17\n1000\n\n99.00",
    ])
}

#[cfg(test)]
mod tests {
    use backroom_core::barcode::{BarcodeError, Scanned, StoreMadeRule};
    use backroom_core::catalog::CatalogFile;
    use backroom_core::epc::{Epc, EpcId};

    use super::*;

    /// An example that is refused would only ever try the first check.
    #[test]
    fn the_examples_are_read() {
        for code in barcodes() {
            let text = String::from_utf8(code).unwrap();
            match Scanned::parse(&text) {
                Ok(_) | Err(BarcodeError::Card) => {}
                Err(why) => panic!("{text}: {why}"),
            }
        }
        assert_eq!(
            barcodes()
                .iter()
                .filter(|code| StoreMadeRule::try_from(String::from_utf8_lossy(code).into_owned()).is_ok())
                .count(),
            2
        );
        for tag in tags() {
            let Ok(text) = String::from_utf8(tag) else { continue };
            let known = text.parse::<Epc>().is_ok() || text.parse::<EpcId>().is_ok() || Epc::from_hex(&text).is_ok();
            assert!(known || !(text.starts_with("urn:") || text.starts_with('3')), "{text}");
        }
        assert_eq!(facts().len(), FACTS.len() + 1, "a fact is not read");
        assert_eq!(
            (entries().unwrap().len(), messages().len(), proofs().len()),
            (FACTS.len() + 1, 5, 2)
        );
        assert!(accounts().len() > 20, "card numbers are refused");
        serde_json::from_str::<CatalogFile>(CATALOG).unwrap();
        assert_eq!([escpos().len(), zvt().len(), llrp().len()], [5, 6, 4], "an example in hex is none");
    }
}
