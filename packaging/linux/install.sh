#!/bin/sh
# Installs the program that lies beside this script, for this user, or with PREFIX=/usr/local for everybody.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
prefix=${PREFIX:-$HOME/.local}
target=$prefix/lib/qwen3-vl-desktop

case $prefix in
    /*) ;;
    *) echo "PREFIX must begin with a slash: $prefix" >&2; exit 2 ;;
esac
if [ -e "$target" ] && [ ! -x "$target/qwen3-vl-desktop" ]; then
    echo "$target holds something else; move it away or choose another PREFIX." >&2
    exit 1
fi
mkdir -p "$prefix/lib" "$prefix/bin" "$prefix/share"
# Into place in one step, so that an interrupted copy leaves the old program.
rm -rf "$target.new"
cp -R "$here/program" "$target.new"
cp "$here/uninstall.sh" "$target.new/uninstall.sh"
rm -rf "$target"
mv "$target.new" "$target"
ln -sfn "$target/qwen3-vl-desktop" "$prefix/bin/qwen3-vl-desktop"
cp -R "$here/share/." "$prefix/share/"
# A menu does not look into ~/.local/bin, so the entry names the whole path.
sed -i "s|^Exec=.*|Exec=\"$target/qwen3-vl-desktop\" %F|" "$prefix/share/applications/qwen3-vl-desktop.desktop"
if command -v update-desktop-database >/dev/null; then
    update-desktop-database -q "$prefix/share/applications" || true
fi
if command -v gtk-update-icon-cache >/dev/null; then
    gtk-update-icon-cache -q -t "$prefix/share/icons/hicolor" || true
fi
echo "Installed. It is in the menu as “Qwen3-VL Desktop”; in a terminal: $prefix/bin/qwen3-vl-desktop"
echo "To remove it: $target/uninstall.sh"
