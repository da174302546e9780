"""Chinese: the sentences of what lives: progress, jobs, logs, forms and the explorer. A table and nothing else."""

from __future__ import annotations

LIVE = {
    # progress
    "Stopped at {size}": "停在 {size}",
    "Not started": "未开始",
    "{done} of {all}": "{done}/{all}",
    "{done} of {all}{rate}": "{done}/{all}{rate}",
    "{done} of {all} freed": "已释放 {done}/{all}",
    "{done} freed": "已释放 {done}",
    "nothing has moved for {time}": "已 {time}没有传输数据",
    "{time} left": "剩余 {time}",
    "a moment left": "即将完成",
    "{layers}, all already there": "{layers}，均已存在",
    "{layers}, {there} already there": "{layers}，其中 {there} 层已存在",
    "{done} of {layers} complete": "{layers}中已完成 {done} 层",
    "{size} in {time}{rate}": "传输 {size}，用时 {time}{rate}",
    "{what} in {time}": "{what}，用时 {time}",
    "{size} from an earlier attempt": "此前已传输 {size}",
    "{outcome}: {what}": "{outcome}：{what}",
    "{host} takes no more requests: going on in {time}": "{host} 暂不接受更多请求：{time}后继续",
    "and {items}": "还有 {items}",
    "progress of {kind}": "{kind}进度",
    "layers and documents": "各层与清单",
    "all": "全部",
    # jobs
    "Job {number}: {line}": "任务 {number}：{line}",
    "{title} ({outcome})": "{title}（{outcome}）",
    "hint: {hint}": "提示：{hint}",
    "Cancel": "取消",
    "Stopping": "正在停止",
    "Stop this job; what arrived is kept": "停止此任务；已收到的内容会保留",
    "{outcome}: what arrived is kept; the same line goes on there": (
        "{outcome}：已收到的内容会保留；再次运行这一行即可继续"
    ),
    "{outcome}: no archive was written": "{outcome}：没有写出归档文件",
    "{outcome}: the layers that arrived whole stay there": "{outcome}：已完整送达的层会保留在那里",
    "over: the .result() of this job is its frame": "已结束：此任务的 .result() 是它的数据框",
    "no longer shown: the extension was unloaded": "不再显示：扩展已卸载",
    "(a button that cancels it; without it: .cancel() of this job)": (
        "（取消任务的按钮；没有按钮时用此任务的 .cancel()）"
    ),
    # logs
    "{lines} so far; interrupt the kernel to stop": "目前 {lines}；中断内核即可停止",
    "{lines} in {time}": "{lines}，用时 {time}",
    # what stands under or above a widget
    "a widget": "小部件",
    "a login form": "登录表单",
    "a preview to choose from": "可勾选的预览",
    "an interactive table": "可交互的表格",
    "an explorer": "浏览器",
    "({noun}: run the cell to use it)": "（{noun}：运行此单元格即可使用）",
    "static copy, which stays in a saved notebook": "静态副本，保存的笔记本中也会保留",
    # the login form
    "Login Succeeded for {host}": "登录成功：{host}",
    "Log in to {host} with the form; where nobody can fill it in: {line}": (
        "请用表单登录 {host}；无法填写表单时运行：{line}"
    ),
    "where nobody can fill in a form": "无法填写表单时",
    "something went wrong that should not ({error})": "出现了不该出现的问题（{error}）",
    "Logged in as {name}.": "已以 {name} 的身份登录。",
    # the prune preview
    "every name and blob": "每个名称和数据块",
    "Removed {names}.": "已移除 {names}。",
    "No image that has a name was removed.": "没有移除有名称的镜像。",
    "Freed {exactly}.": "释放了 {exactly}。",
    "Frees {exactly}.": "将释放 {exactly}。",
    "exactly {size} ({bytes} bytes)": "{size}（精确为 {bytes} 字节）",
    "bytes that this engine does not tell": "此引擎未告知的字节数",
    "an unknown number of bytes": "未知的字节数",
    "Images that have a name: {line}": "有名称的镜像：{line}",
    "Cancelled: nothing was removed": "已取消：没有移除任何内容",
    "Cancelled: nothing was removed.": "已取消：没有移除任何内容。",
    "No image is here that could go": "这里没有可移除的镜像",
    "Nothing was removed yet; to remove all of these without ticking: {line}": (
        "尚未移除任何内容；要不勾选而全部移除，请运行：{line}"
    ),
    "Tick what is to go.": "请勾选要移除的镜像。",
    "Nothing is here that could go.": "这里没有可移除的内容。",
    "No image is ticked; these are left-overs that nothing needs, which go with every pruning.": (
        "没有勾选镜像；这些是不再需要的残留内容，每次清理都会移除。"
    ),
    "Remove": "移除",
    "Remove {images}, free {size}": "移除 {images}，释放 {size}",
    "Remove what nothing needs, free {size}": "移除不再需要的内容，释放 {size}",
    "Try again": "重试",
    "{name} ({platforms})": "{name}（{platforms}）",
    "{exact} bytes, compressed": "压缩后 {exact} 字节",
    "{names} and {rest} more": "{names} 等（另有 {rest} 个）",
    "Things changed since this was shown: {freed} freed instead of {promised}.": (
        "显示之后情况有变：释放了 {freed}，而不是 {promised}。"
    ),
    "Things changed since this was shown: {freed} freed instead of {promised}; left alone: {names}.": (
        "显示之后情况有变：释放了 {freed}，而不是 {promised}；未移除：{names}。"
    ),
    # the explorer
    "images here": "本机镜像",
    "something else is still running": "另一项操作仍在进行",
    "stop it first": "请先停止它",
    "this repository is gone": "此仓库已不存在",
    "this row is gone": "此行已不存在",
    "refresh the list": "请刷新列表",
    "stopped": "已停止",
    "what arrived is kept; run it again to go on": "已收到的内容会保留；再次运行即可继续",
    "this is a fault of jupyimg": "这是 jupyimg 的错误",
    "{status}: {name}": "{status}：{name}",
    "… {rest} more": "… 另有 {rest} 行",
    "image ID": "镜像 ID",
    "also named": "其他名称",
    "Fetches it from {host}": "从 {host} 拉取",
    "Gives it a further name: write it in": "再添加一个名称：请填写",
    "Sends it to {host}": "推送到 {host}",
    "Writes it into a file beside the notebook": "保存为笔记本旁边的文件",
    "Removes the name, for all its platforms; an image without any name left goes": (
        "移除此名称（所有平台）；不再有名称的镜像会被删除"
    ),
    "Removes the image": "移除此镜像",
}
