#!/bin/sh
# Removes what install.sh put there. Models, conversations and settings of each user stay.
set -eu
target=$(cd "$(dirname "$0")" && pwd)
prefix=$(dirname "$(dirname "$target")")
if [ "$target" != "$prefix/lib/qwen3-vl-desktop" ]; then
    echo "This script belongs into an installed program; nothing was removed." >&2
    exit 1
fi
rm -f "$prefix/bin/qwen3-vl-desktop" \
    "$prefix/share/applications/qwen3-vl-desktop.desktop" \
    "$prefix/share/metainfo/io.github.qwen3_vl_desktop.metainfo.xml" \
    "$prefix/share/icons/hicolor/scalable/apps/qwen3-vl-desktop.svg"
rm -f "$prefix"/share/icons/hicolor/*x*/apps/qwen3-vl-desktop.png
rm -rf "$target"
if command -v update-desktop-database >/dev/null; then
    update-desktop-database -q "$prefix/share/applications" || true
fi
if command -v gtk-update-icon-cache >/dev/null && [ -e "$prefix/share/icons/hicolor/icon-theme.cache" ]; then
    gtk-update-icon-cache -q -t "$prefix/share/icons/hicolor" || true
fi
echo "Removed. Models and settings are still in ${XDG_DATA_HOME:-$HOME/.local/share}/qwen3-vl-desktop."
