// The system's <vulkan/vulkan.hpp>, and where that is too old for VK_EXT_layer_settings (Debian 12's 1.3.239 is)
// what ggml-vulkan names of it: the types of the extension's specification, with its layout and its number.
// Only the validation layer reads them, and only where ggml was built with validation.
#pragma once
#include_next <vulkan/vulkan.hpp>

#ifndef VK_EXT_layer_settings
#include <cstdint>
#include <vector>

namespace VULKAN_HPP_NAMESPACE {

enum class LayerSettingTypeEXT : std::int32_t { eBool32 = 0 };

struct LayerSettingEXT {
    const char *layer_name;
    const char *setting_name;
    LayerSettingTypeEXT type;
    std::uint32_t value_count;
    const void *values;
};

struct LayerSettingsCreateInfoEXT {
    explicit LayerSettingsCreateInfoEXT(const std::vector<LayerSettingEXT> &given)
        : setting_count(static_cast<std::uint32_t>(given.size())), settings(given.data()) {}

    VkStructureType type = static_cast<VkStructureType>(1000496000);
    const void *next = nullptr;
    std::uint32_t setting_count;
    const LayerSettingEXT *settings;
};

}  // namespace VULKAN_HPP_NAMESPACE
#endif
