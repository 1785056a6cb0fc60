//! A stranger's conversation with the virtual printer, byte by byte.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::shop::Shop;

async fn say(stream: &mut TcpStream, bytes: &[u8], piece: usize) {
    for piece in bytes.chunks(piece) {
        stream.write_all(piece).await.unwrap();
        stream.flush().await.unwrap();
        tokio::task::yield_now().await;
    }
}

async fn hear(stream: &mut TcpStream, expected: &[u8]) {
    let mut heard = vec![0; expected.len()];
    timeout(Duration::from_secs(5), stream.read_exact(&mut heard))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(heard, expected);
}

#[tokio::test]
async fn a_driver_of_somebody_else_finds_its_way() {
    let shop = Shop::open(&["paper low"]).await;
    for piece in [1, 2, 100] {
        let mut stream = TcpStream::connect(shop.printer.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        // Hello as receiptio says it; the middle is another maker's and nobody answers it.
        say(&mut stream, b"\x10\x04\x02\x1b\x06\x01\x1b@", piece).await;
        hear(&mut stream, b"\x12").await;
        say(&mut stream, b"\x1dI\x42\x1dI\x43", piece).await;
        hear(&mut stream, b"_BACKROOM\0_VIRTUAL\0").await;
        say(&mut stream, b"\x1b@\x1da\xff", piece).await;
        hear(&mut stream, b"\x14\0\x03\0").await;
        say(&mut stream, b"hello\n\x1dV\x42\0\x1dr1", piece).await;
        hear(&mut stream, b"\x03").await;
        assert_eq!(shop.ledger("print").last().unwrap()["text"], "hello");
        assert!(shop.ledger("print").last().unwrap()["job"].is_null());
        shop.turn("cover open").await;
        hear(&mut stream, b"\x3c\0\x03\0").await;
        // Asked at once it answers though it is stopped; what waits its turn waits.
        say(&mut stream, b"late\n\x1dV\x42\0\x1dr1\x10\x04\x04\x10\x04\x01", piece).await;
        hear(&mut stream, b"\x1e\x1e").await;
        shop.turn("cover closed").await;
        hear(&mut stream, b"\x14\0\x03\0\x03").await;
    }
    let state = shop.state().await;
    assert_eq!(state["unknown_bytes"], 3 * 3, "{}", state["last_unknown"]);
}

#[tokio::test]
async fn a_second_caller_waits_until_the_first_has_gone() {
    let shop = Shop::open(&[]).await;
    let mut first = TcpStream::connect(shop.printer.address).await.unwrap();
    say(&mut first, b"\x10\x04\x01", 3).await;
    hear(&mut first, b"\x16").await;
    let mut second = TcpStream::connect(shop.printer.address).await.unwrap();
    say(&mut second, b"two\n\x1dV\0\x1dr1", 3).await;
    say(&mut first, b"one\n\x1dV\0\x1dr1", 3).await;
    hear(&mut first, b"\0").await;
    drop(first);
    hear(&mut second, b"\0").await;
    let texts: Vec<_> = shop.ledger("print").iter().map(|line| line["text"].clone()).collect();
    assert_eq!(texts, ["one", "two"]);
}
