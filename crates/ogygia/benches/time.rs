//! Wall clock of the core: `cargo bench -p ogygia --bench time`.

mod work;

fn main() {
    divan::main();
}

#[divan::bench(args = work::ALL.iter().map(|(name, _)| *name))]
fn each(bencher: divan::Bencher<'_, '_>, name: &str) {
    let Some((_, prepare)) = work::ALL.iter().find(|(known, _)| *known == name) else { return };
    bencher.bench_local(prepare());
}
