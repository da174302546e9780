"""Chinese: the lines that come from below while something is done, and those that stand beside an answer.

A table and nothing else. The English ones are shapes: a place in braces holds one word (``lines``, ``names`` and
``why`` hold more), and ``(s)`` may be there or not. The first shape that fits counts.
"""

from __future__ import annotations

NOTES = {
    # Docker's own, of pull and push
    "Using default tag: {tag}": "使用默认标签：{tag}",
    "{tag}: Pulling from {repository}": "{tag}：从 {repository} 拉取",
    "Digest: {digest}": "摘要：{digest}",
    "Status: Downloaded newer image for {name}": "状态：已下载较新的镜像 {name}",
    "Status: Image is up to date for {name}": "状态：镜像 {name} 已是最新",
    "The push refers to repository [{name}]": "推送到仓库 [{name}]",
    "{tag}: digest: {digest} size: {size}": "{tag}：摘要：{digest} 大小：{size}",
    # of moving images
    "{name}: made": "{name}：已生成",
    "Copying {source} to {target}": "正在将 {source} 复制到 {target}",
    "Sending {names} from {source} to {target}": "正在将 {names} 从 {source} 发送到 {target}",
    "The image {name} already exists, renaming the old one with ID {image} to empty string": (
        "镜像 {name} 已存在，ID 为 {image} 的旧镜像不再有名称"
    ),
    "{digest}: not moved, it is only to be had from its vendor": "{digest}：未传输，只能从其厂商处获取",
    "{digest}: not loaded, it is {kind}": "{digest}：未载入，它的类型是 {kind}",
    "Only {platform} of this multi-platform image is pushed, as a single manifest; "
    "pull it with --platform all to push the whole index": (
        "只推送此多平台镜像的 {platform}（单个清单）；要推送整个索引，请先用 --platform all 拉取"
    ),
    "{why}: going on with {host}": "{why}：改用 {host}",
    "{why}: trying again": "{why}：正在重试",
    "Content trust: skipped; digests are verified, but no policy was asked and no signature looked at": (
        "内容信任：已跳过；摘要经过验证，但没有检查策略和签名"
    ),
    "Content trust: a push signs nothing, with or without this flag; cosign and skopeo --sign-by sign": (
        "内容信任：推送不会签名，有无此选项都一样；签名请用 cosign 或 skopeo --sign-by"
    ),
    "Content trust: {digest} is signed by the GPG key {key}": "内容信任：{digest} 由 GPG 密钥 {key} 签名",
    "Content trust: {digest} is signed with sigstore by {names}": "内容信任：{digest} 由 {names} 以 sigstore 签名",
    # of asking registries
    "Asking {host}": "正在询问 {host}",
    "{count} request(s) to {host}": "向 {host} 请求了 {count} 次",
    "{count} request(s) to {host}, none of which counts as a pull": "向 {host} 请求了 {count} 次，均不计为拉取",
    "{count} request(s) to {host}, {pulls} manifest(s) of which count as pulls": (
        "向 {host} 请求了 {count} 次，其中 {pulls} 个清单计为拉取"
    ),
    "{left} pulls are left": "还可拉取 {left} 次",
    "{left} of {limit} pulls are left": "还可拉取 {left} 次（共 {limit} 次）",
    "{left} pulls in {hours} hours are left": "{hours} 小时内还可拉取 {left} 次",
    "{left} of {limit} pulls in {hours} hours are left": "{hours} 小时内还可拉取 {left} 次（共 {limit} 次）",
    "Reading the manifests of {count} tag(s) of {host}, each of which counts as a pull": (
        "正在读取 {host} 上 {count} 个标签的清单，每个计为一次拉取"
    ),
    "the newest {limit} tags; --limit 0 gives all": "最新的 {limit} 个标签；--limit 0 列出全部",
    "the first {limit} repositories; --limit 0 gives all": "前 {limit} 个仓库；--limit 0 列出全部",
    "{kept} of {count} tag(s), by their version; --limit 0 gives all": (
        "按版本列出 {count} 个标签中的 {kept} 个；--limit 0 列出全部"
    ),
    "platforms and sizes would cost {count} pull(s) or more; --details reads them": (
        "读取平台和大小至少要用掉 {count} 次拉取；--details 会读取"
    ),
    "and {count} more that could not be read": "还有 {count} 项无法读取",
    "{count} more were not asked; run the line again later": "还有 {count} 项没有询问；请稍后再运行这一行",
    "Docker Hub's list of tags was of no use ({why}): its registry was asked": (
        "Docker Hub 的标签列表无法使用（{why}）：改为询问其仓库服务器"
    ),
    "Docker Hub limits nothing here, or does not say so": "Docker Hub 在此没有限制，或没有说明",
    # of disk space
    "Nothing to remove": "没有可移除的内容",
    "Nothing was removed yet: {size} would be freed": "尚未移除任何内容：将释放 {size}",
    "Nothing was removed yet: {count} name(s) would go ({names}), {size} would be freed": (
        "尚未移除任何内容：将移除 {count} 个名称（{names}），释放 {size}"
    ),
    "To remove it: {lines}": "要移除，请运行：{lines}",
    "Untagged: {name}": "已移除标签：{name}",
    "Deleted: {digest}": "已删除：{digest}",
    "Deleted: an upload that broke off": "已删除：一次中断的上传",
    "Deleted Images:": "已删除的镜像：",
    "untagged: {name}": "移除标签：{name}",
    "deleted: {digest}": "删除：{digest}",
    "Total reclaimed space: {size}": "共回收空间：{size}",
    # of logging in
    "Login Succeeded": "登录成功",
    "Authenticating with existing credentials...": "正在使用已保存的凭据登录…",
    "Authenticating with existing credentials... [Username: {name}]": "正在使用已保存的凭据登录…（用户名：{name}）",
    "WARNING! Your credentials are stored unencrypted in '{names}'": "警告！凭据未加密，保存在 '{names}'",
    "WARNING! {names} is set and comes before what is stored": "警告！已设置 {names}，它优先于保存的凭据",
    "WARNING! Using --password via the CLI is insecure. Use --password-stdin.": (
        "警告！在命令行用 --password 不安全，请用 --password-stdin。"
    ),
    "{host} did not ask who you are, so nothing was proved": "{host} 没有要求身份验证，因此未作任何验证",
    "Removing login credentials for {host}": "正在移除 {host} 的登录凭据",
    "Not logged in to {host}": "尚未登录 {host}",
    "WARNING: could not erase credentials: {why}": "警告：无法清除凭据：{why}",
    "WARNING: {names} still answers for {host}, and cannot be changed from here": (
        "警告：{names} 仍保存着 {host} 的凭据，无法在此更改"
    ),
    # of a store that is served, and of containers
    "Serving the local store at {address}": "正在 {address} 提供本地存储",
    "Serving the local store at {address}, read-only": "正在 {address} 提供本地存储（只读）",
    "Serving the teaching images at {address}": "正在 {address} 提供教学镜像",
    "Serving the teaching images at {address}, read-only": "正在 {address} 提供教学镜像（只读）",
    "No longer serving the local store at {address}": "已停止在 {address} 提供本地存储",
    "No longer serving the teaching images at {address}": "已停止在 {address} 提供教学镜像",
    "the first {count} line(s) are not kept": "前 {count} 行没有保留",
}
