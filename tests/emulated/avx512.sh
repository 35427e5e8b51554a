#!/bin/sh
# Run the core's tests of vectors, and its golden test, on an emulated machine with AVX-512: for
# whoever changes real/simd/avx512.rs and has no such machine. Some twelve minutes, of which three
# compile.
#
# Needs of Debian: bochs bochs-term bochsbios vgabios isolinux syslinux-common genisoimage
# busybox-static cpio. The kernel is downloaded (linux-image-cloud-amd64), not installed.
set -eu
cd "$(dirname "$0")/../.."
work=$PWD/target/avx512
host=x86_64-unknown-linux-gnu
rm -rf "$work/root" "$work/disc"
mkdir -p "$work/root/bin" "$work/root/proc" "$work/root/dev" "$work/root/tests" "$work/disc/isolinux"

# The tests, which need no library there.
RUSTFLAGS="-C target-feature=+crt-static" CARGO_TARGET_DIR="$work/build" cargo test --release \
    --target $host -p hrsnn-core --lib --test golden --no-run --message-format=json |
    sed -n 's/.*"name":"\([a-z_]*\)".*"executable":"\([^"]*\)".*/\1 \2/p' > "$work/tests.txt"
while read -r name path; do strip -o "$work/root/tests/$name" "$path"; done < "$work/tests.txt"
mkdir -p "$work/root$PWD/rust/hrsnn-core/tests"
cp -r rust/hrsnn-core/tests/golden "$work/root$PWD/rust/hrsnn-core/tests/"

# A system of one program.
cp /bin/busybox "$work/root/bin/"
for name in sh mount grep sleep; do ln -s busybox "$work/root/bin/$name"; done
cat > "$work/root/init" <<'EOF'
#!/bin/sh
mount -t proc proc /proc
mount -t devtmpfs dev /dev
grep -m 1 -o avx512vl /proc/cpuinfo
export PROPTEST_CASES=100 PROPTEST_DISABLE_FAILURE_PERSISTENCE=1
/tests/hrsnn_core --test-threads 1 real:: plastic:: neuron:: || echo FAILED
/tests/golden --exact bits_are_those_of_the_file || echo FAILED
echo ALL DONE
sleep 1000000
EOF
chmod +x "$work/root/init"
if ! ls "$work"/kernel/boot/vmlinuz-* > /dev/null 2>&1; then
    (cd "$work" && apt-get download "$(apt-cache depends linux-image-cloud-amd64 |
        sed -n 's/.*Depends: \(linux-image.*\)/\1/p' | head -1)" && dpkg -x linux-image-*.deb kernel)
fi
cp "$work"/kernel/boot/vmlinuz-* "$work/disc/vmlinuz"
(cd "$work/root" && find . | cpio -o -H newc --quiet) > "$work/disc/initrd"
cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 "$work/disc/isolinux/"
# The emulator says the size of what XSAVES saves wrongly; Linux then uses no vectors at all.
cat > "$work/disc/isolinux/isolinux.cfg" <<'EOF'
default tests
label tests
 kernel /vmlinuz
 append initrd=/initrd console=ttyS0 quiet mitigations=off clearcpuid=321,323
EOF
genisoimage -quiet -R -o "$work/disc.iso" -b isolinux/isolinux.bin -c isolinux/boot.cat \
    -no-emul-boot -boot-load-size 4 -boot-info-table "$work/disc"

# The machine: Skylake-X, what it says on its serial line in a file.
cat > "$work/machine" <<EOF
megs: 1024
cpu: model=corei7_skylake_x, count=1, ips=50000000
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
ata0-master: type=cdrom, path=$work/disc.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=$work/said
log: $work/log
display_library: term
clock: sync=none
panic: action=fatal
EOF
echo c > "$work/debugger"
rm -f "$work/said"
touch "$work/said"
BXSHARE=/usr/share/bochs TERM=xterm bochs -q -f "$work/machine" -rc "$work/debugger" \
    < /dev/null > "$work/screen" 2>&1 &
machine=$!
# What it shows goes to a terminal of its own, which must be read or it waits.
until shown=$(grep -ao 'connected to screen "[^"]*' "$work/screen"); do
    kill -0 $machine
    sleep 1
done
cat "${shown#*\"}" > /dev/null &
trap 'kill $machine $! 2> /dev/null || true' EXIT
while kill -0 $machine 2> /dev/null && ! grep -q "ALL DONE" "$work/said"; do sleep 5; done
grep -v "^\[ " "$work/said"
grep -q avx512vl "$work/said" && ! grep -q FAILED "$work/said" &&
    [ "$(grep -c "test result: ok. [1-9]" "$work/said")" = 2 ]
