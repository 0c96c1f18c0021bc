//! Wall clock of the core: `cargo bench -p ogygia --bench time`.

mod work;

fn main() {
    divan::main();
}

#[divan::bench(args = work::ALL.iter().map(|(name, _)| *name), sample_size = 100, sample_count = 1000)]
fn each(bencher: divan::Bencher<'_, '_>, name: &str) {
    let Some((_, prepare)) = work::ALL.iter().find(|(known, _)| *known == name) else { return };
    bencher.bench_local(prepare());
}

#[divan::bench(args = work::growth::ALL.iter().map(|(name, _)| *name), sample_size = 1, sample_count = 200)]
fn growth(bencher: divan::Bencher<'_, '_>, name: &str) {
    let Some((_, prepare)) = work::growth::ALL.iter().find(|(known, _)| *known == name) else { return };
    bencher.bench_local(prepare());
}
