"""The Vulkan devices of this machine: what a llama.cpp that was built for Vulkan could run on."""

from __future__ import annotations

import ctypes
import sys
from dataclasses import dataclass

_SUCCESS = 0
# Source: the Vulkan specification, VkStructureType, VkPhysicalDeviceType, VkPhysicalDeviceProperties.
_INSTANCE_CREATE_INFO = 1
_TYPES = {1: "integrated GPU", 2: "GPU", 3: "virtual GPU", 4: "CPU"}
_TYPE_OFFSET, _NAME_OFFSET, _NAME_BYTES = 16, 20, 256
_PROPERTIES_BYTES = 1024  # 824 by the specification
_MOST_DEVICES = 16


@dataclass(frozen=True, slots=True)
class VulkanDevice:
    """One device: its name, and its kind as `GPU`, `integrated GPU`, `virtual GPU` or `CPU`."""

    name: str
    kind: str

    @property
    def is_gpu(self) -> bool:
        """False for a driver that computes on the processor, which llama.cpp passes over."""
        return self.kind != "CPU"


class VulkanAbsent(Exception):
    """There is no Vulkan loader, or it finds no driver; the text says which."""


class _InstanceCreateInfo(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("next", ctypes.c_void_p),
        ("flags", ctypes.c_uint32),
        ("application", ctypes.c_void_p),
        ("layer_count", ctypes.c_uint32),
        ("layers", ctypes.c_void_p),
        ("extension_count", ctypes.c_uint32),
        ("extensions", ctypes.c_void_p),
    ]


def read_vulkan_devices() -> tuple[VulkanDevice, ...]:
    """Ask the loader and its drivers.

    Raises:
        VulkanAbsent: there is nothing to ask.
    """
    try:
        library = ctypes.CDLL("vulkan-1.dll" if sys.platform == "win32" else "libvulkan.so.1")
    except OSError as error:
        raise VulkanAbsent("the Vulkan loader is not installed") from error
    instance = ctypes.c_void_p()
    wanted = _InstanceCreateInfo(type=_INSTANCE_CREATE_INFO)
    if library.vkCreateInstance(ctypes.byref(wanted), None, ctypes.byref(instance)) != _SUCCESS:
        raise VulkanAbsent("no Vulkan driver is installed")
    try:
        return _devices_of(library, instance)
    finally:
        library.vkDestroyInstance(instance, None)


def _devices_of(library: ctypes.CDLL, instance: ctypes.c_void_p) -> tuple[VulkanDevice, ...]:
    count = ctypes.c_uint32(_MOST_DEVICES)
    handles = (ctypes.c_void_p * _MOST_DEVICES)()
    if (
        library.vkEnumeratePhysicalDevices(instance, ctypes.byref(count), handles) < _SUCCESS
        or not count.value
    ):
        raise VulkanAbsent("no Vulkan driver found a device")
    found = []
    for handle in handles[: count.value]:
        properties = ctypes.create_string_buffer(_PROPERTIES_BYTES)
        library.vkGetPhysicalDeviceProperties(ctypes.c_void_p(handle), properties)
        found.append(read_properties(properties.raw))
    return tuple(found)


def read_properties(data: bytes) -> VulkanDevice:
    """A device from the bytes of its `VkPhysicalDeviceProperties`."""
    kind = int.from_bytes(data[_TYPE_OFFSET:_NAME_OFFSET], sys.byteorder)
    name = data[_NAME_OFFSET : _NAME_OFFSET + _NAME_BYTES].partition(b"\0")[0]
    return VulkanDevice(name.decode("utf-8", "replace"), _TYPES.get(kind, "other device"))
