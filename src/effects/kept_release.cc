// SPDX-License-Identifier: Apache-2.0
#include "effects/kept_release.h"

#include <boost/json.hpp>

#include "milvus_upgrade/base/digest.h"

namespace mu::effects {
namespace {

std::string TextOf(const boost::json::object& object, std::string_view key) {
  const boost::json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

tl::unexpected<Error> Bad() {
  return Fail(ErrorCode::kBackupBad,
              "the file with the Deployments as they were cannot be read back");
}

}  // namespace

std::string KeptDeployment::TemplateHash() const {
  return template_json.empty() ? template_hash : Sha256(template_json);
}

KeptDeployment Keep(const model::Deployment& deployment) {
  KeptDeployment kept{deployment.meta.uid, deployment.template_json, deployment.strategy_json};
  const auto label = deployment.meta.labels.find(kVersionLabel);
  if (label != deployment.meta.labels.end()) kept.version = label->second;
  return kept;
}

KeptRelease ByReference(const KeptRelease& kept, const plan::Plan& plan) {
  KeptRelease reduced;
  for (const plan::Step& step : plan.steps) {
    const auto* patch = std::get_if<plan::PatchDeployment>(&step.args);
    const auto full = patch == nullptr ? kept.end() : kept.find(patch->deployment);
    if (full == kept.end()) continue;
    KeptDeployment& one = reduced[patch->deployment] = full->second;
    one.template_hash = full->second.TemplateHash();
    one.template_json.clear();
    one.container = patch->container;
    one.image = patch->image_before;
  }
  return reduced;
}

// The two specs stay the texts that the server gave: their hashes are known.
std::string FormatKept(const KeptRelease& kept) {
  boost::json::object root;
  for (const auto& [name, deployment] : kept) {
    boost::json::object object;
    object["uid"] = deployment.uid;
    if (deployment.template_json.empty()) {
      object["container"] = deployment.container;
      object["image"] = deployment.image;
      object["template_hash"] = deployment.template_hash;
    } else {
      object["template"] = deployment.template_json;
    }
    object["strategy"] = deployment.strategy_json;
    if (deployment.version) object["version"] = *deployment.version;
    root[name] = std::move(object);
  }
  return boost::json::serialize(root) + "\n";
}

Result<KeptRelease> ParseKept(std::string_view text) {
  boost::json::error_code code;
  const boost::json::value root = boost::json::parse(text, code);
  if (code || !root.is_object()) return Bad();
  KeptRelease kept;
  for (const auto& item : root.get_object()) {
    if (!item.value().is_object()) return Bad();
    const boost::json::object& object = item.value().get_object();
    KeptDeployment one{TextOf(object, "uid"), TextOf(object, "template"),
                       TextOf(object, "strategy")};
    if (object.contains("version")) one.version = TextOf(object, "version");
    one.container = TextOf(object, "container");
    one.image = TextOf(object, "image");
    one.template_hash = TextOf(object, "template_hash");
    const bool has_template = !one.template_json.empty() || !one.template_hash.empty();
    if (one.uid.empty() || !has_template || one.strategy_json.empty()) return Bad();
    kept[std::string(item.key())] = std::move(one);
  }
  return kept;
}

}  // namespace mu::effects
