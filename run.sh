cd /tmp/acc-mut
export CARGO_TARGET_DIR=/tmp/acc-mut/target CARGO_PROFILE_DEV_DEBUG=0 CARGO_PROFILE_TEST_DEBUG=0
cargo test -p backroom-core --lib --no-run 2>&1 | tail -30
for m in none epoch fence keepheld ended revepoch revtwice unasked twice settled person tomb void base; do
  MUT=$m cargo test -q -p backroom-core --lib accounts::sim 2>/tmp/acc-mut/err.$m >/tmp/acc-mut/out.$m; echo "$m rc=$? $(grep -h -o 'panicked.*\|seed [0-9]*$' /tmp/acc-mut/out.$m /tmp/acc-mut/err.$m| sort | uniq -c | sort -rn | head -3 | tr '\n' ' ') $(grep -h -A1 'panicked at protocol' /tmp/acc-mut/out.$m /tmp/acc-mut/err.$m| grep -v panicked | head -1 | cut -c1-160)"
done
