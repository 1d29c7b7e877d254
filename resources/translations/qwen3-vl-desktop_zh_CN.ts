<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="zh_CN">
<context>
    <name>AnswerFooter</name>
    <message>
        <source>Copy answer</source>
        <translation>复制回答</translation>
    </message>
    <message>
        <source>Go on with the remaining parts</source>
        <translation>继续处理其余部分</translation>
    </message>
    <message>
        <source>Continue</source>
        <translation>继续</translation>
    </message>
    <message>
        <source>Send again</source>
        <translation>重新发送</translation>
    </message>
    <message>
        <source>Details</source>
        <translation>详情</translation>
    </message>
    <message>
        <source>Hide details</source>
        <translation>收起详情</translation>
    </message>
    <message>
        <source>Stopped</source>
        <translation>已停止</translation>
    </message>
    <message>
        <source>Cut at the length limit</source>
        <translation>达到长度上限，已截断</translation>
    </message>
    <message>
        <source>%1 tokens/s</source>
        <translation>%1 token/秒</translation>
    </message>
    <message>
        <source>%1 s to the first token</source>
        <translation>首个 token %1 秒</translation>
    </message>
    <message>
        <source>Model: %1 (%2)</source>
        <translation>模型：%1（%2）</translation>
    </message>
    <message>
        <source>Backend: %1. %2</source>
        <translation>后端：%1。%2</translation>
    </message>
    <message>
        <source>Prompt: %1 tokens, %2 of them from the cache</source>
        <translation>提示：%1 个 token，其中 %2 个来自缓存</translation>
    </message>
    <message>
        <source>Answer: %1 tokens</source>
        <translation>回答：%1 个 token</translation>
    </message>
    <message>
        <source>Peak memory: %1</source>
        <translation>内存峰值：%1</translation>
    </message>
    <message>
        <source>Peak memory: %1, planned %2 (%3 %)</source>
        <translation>内存峰值：%1，计划 %2（%3 %）</translation>
    </message>
</context>
<context>
    <name>AnswerMessage</name>
    <message>
        <source>Answer of %1</source>
        <translation>%1 的回答</translation>
    </message>
    <message>
        <source>Answer</source>
        <translation>回答</translation>
    </message>
</context>
<context>
    <name>AttachmentCard</name>
    <message>
        <source>Attachment {name}</source>
        <translation>附件 {name}</translation>
    </message>
    <message>
        <source>Remove {name}</source>
        <translation>移除 {name}</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>移除</translation>
    </message>
    <message>
        <source>Enter password</source>
        <translation>输入密码</translation>
    </message>
    <message>
        <source>Choose pages or seconds</source>
        <translation>选择页码或时间段</translation>
    </message>
    <message>
        <source>1 page</source>
        <translation>1 页</translation>
    </message>
    <message>
        <source>{count} pages</source>
        <translation>{count} 页</translation>
    </message>
    <message>
        <source>{count} of {pages} pages</source>
        <translation>{pages} 页中的 {count} 页</translation>
    </message>
    <message>
        <source>{count} frames</source>
        <translation>{count} 帧</translation>
    </message>
    <message>
        <source>{count} tokens, + {memory}</source>
        <translation>{count} 个 token，+ {memory}</translation>
    </message>
    <message>
        <source>{count} tokens</source>
        <translation>{count} 个 token</translation>
    </message>
    <message>
        <source>Reading …</source>
        <translation>正在读取…</translation>
    </message>
</context>
<context>
    <name>AttachmentIntake</name>
    <message>
        <source>Only files of this computer can be attached; nothing is downloaded.</source>
        <translation>只能添加本机上的文件；程序不会下载任何内容。</translation>
    </message>
    <message>
        <source>Save the picture first, or copy it and paste it here.</source>
        <translation>请先保存图片，或复制后粘贴到这里。</translation>
    </message>
    <message>
        <source>There is nothing to attach in the folder “{name}”.</source>
        <translation>文件夹“{name}”中没有可附加的文件。</translation>
    </message>
    <message>
        <source>The folder “{name}” cannot be read.</source>
        <translation>无法读取文件夹“{name}”。</translation>
    </message>
    <message>
        <source>Check that its disk is connected and that you may open it, then drop it again.</source>
        <translation>请确认它所在的磁盘已连接、您有权打开它，然后再拖放一次。</translation>
    </message>
    <message>
        <source>Files left out: {count}.</source>
        <translation>有 {count} 个文件未添加。</translation>
    </message>
    <message>
        <source>A message takes {most} attachments at most.</source>
        <translation>一条消息最多可带 {most} 个附件。</translation>
    </message>
    <message>
        <source>The pasted picture could not be saved.</source>
        <translation>粘贴的图片无法保存。</translation>
    </message>
    <message>
        <source>Check the free space of your disk, then paste it again.</source>
        <translation>请检查磁盘剩余空间，然后重新粘贴。</translation>
    </message>
</context>
<context>
    <name>CaptureControl</name>
    <message>
        <source>This desktop does not let programs capture the screen.</source>
        <translation>此桌面环境不允许程序截取屏幕。</translation>
    </message>
    <message>
        <source>Use its own key for screenshots, then paste the picture here.</source>
        <translation>请使用系统自带的截图快捷键，然后将图片粘贴到此处。</translation>
    </message>
</context>
<context>
    <name>Chat</name>
    <message>
        <source>Stopping …</source>
        <translation>正在停止…</translation>
    </message>
</context>
<context>
    <name>ChoicePane</name>
    <message>
        <source>Instruct: answers at once</source>
        <translation>Instruct：立即回答</translation>
    </message>
    <message>
        <source>Thinking: thinks first, for sums, charts and hard questions</source>
        <translation>Thinking：先思考，适合计算、图表和难题</translation>
    </message>
    <message>
        <source>Precision</source>
        <translation>精度</translation>
    </message>
    <message>
        <source>Stop asking</source>
        <translation>停止查询</translation>
    </message>
</context>
<context>
    <name>CodePiece</name>
    <message>
        <source>Copy code</source>
        <translation>复制代码</translation>
    </message>
    <message>
        <source>Code, %1</source>
        <translation>代码，%1</translation>
    </message>
    <message>
        <source>Code</source>
        <translation>代码</translation>
    </message>
</context>
<context>
    <name>Composer</name>
    <message>
        <source>Stopping …</source>
        <translation>正在停止…</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>停止</translation>
    </message>
    <message>
        <source>Send</source>
        <translation>发送</translation>
    </message>
    <message>
        <source>Stop (Esc)</source>
        <translation>停止（Esc）</translation>
    </message>
    <message>
        <source>Send (Enter)</source>
        <translation>发送（Enter）</translation>
    </message>
    <message>
        <source>Esc stops the answer</source>
        <translation>按 Esc 停止回答</translation>
    </message>
    <message>
        <source>Enter queues · Esc stops</source>
        <translation>Enter 排队 · Esc 停止</translation>
    </message>
    <message>
        <source>Enter sends · Shift+Enter breaks the line</source>
        <translation>Enter 发送 · Shift+Enter 换行</translation>
    </message>
    <message>
        <source>Ask about a picture, a video or a PDF: drop, paste or attach it</source>
        <translation>就图片、视频或 PDF 提问：拖入、粘贴或附加</translation>
    </message>
    <message>
        <source>More to say? This may stay empty</source>
        <translation>还想补充什么？可以留空</translation>
    </message>
    <message>
        <source>Message</source>
        <translation>消息</translation>
    </message>
    <message>
        <source>Attach files</source>
        <translation>添加文件</translation>
    </message>
    <message>
        <source>Attach files (Ctrl+O)</source>
        <translation>添加文件（Ctrl+O）</translation>
    </message>
    <message>
        <source>Capture the screen</source>
        <translation>截取屏幕</translation>
    </message>
    <message>
        <source>Capture the screen (Ctrl+Shift+S)</source>
        <translation>截取屏幕 (Ctrl+Shift+S)</translation>
    </message>
    <message>
        <source>Queue</source>
        <translation>排队</translation>
    </message>
    <message>
        <source>Send after this answer (Enter)</source>
        <translation>本次回答结束后发送（Enter）</translation>
    </message>
    <message>
        <source>Attachments</source>
        <translation>附件</translation>
    </message>
</context>
<context>
    <name>ConversationView</name>
    <message>
        <source>Conversation</source>
        <translation>对话</translation>
    </message>
</context>
<context>
    <name>CopyButton</name>
    <message>
        <source>Copied</source>
        <translation>已复制</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>复制</translation>
    </message>
</context>
<context>
    <name>CrashDialog</name>
    <message>
        <source>Something went wrong</source>
        <translation>出错了</translation>
    </message>
    <message>
        <source>Something unexpected happened inside the program.</source>
        <translation>程序内部发生了意外错误。</translation>
    </message>
    <message>
        <source>Your conversation is saved. You can close this and go on; if it happens again, please send this report to the developers.</source>
        <translation>您的对话已保存。可以关闭此窗口并继续使用；如果再次发生，请把这份报告发送给开发者。</translation>
    </message>
    <message>
        <source>Report</source>
        <translation>报告</translation>
    </message>
    <message>
        <source>With the errors&apos; own words and whole paths</source>
        <translation>包含错误原文和完整路径</translation>
    </message>
    <message>
        <source>They may quote what you wrote and name your files.</source>
        <translation>其中可能引用您输入的内容并含有您的文件名。</translation>
    </message>
    <message>
        <source>Copy the report</source>
        <translation>复制报告</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
    <message>
        <source>Copied</source>
        <translation>已复制</translation>
    </message>
</context>
<context>
    <name>Desktop</name>
    <message>
        <source>The program ended unexpectedly the last time.</source>
        <translation>程序上次意外结束。</translation>
    </message>
    <message>
        <source>Nothing of yours is in its report, {file}; please send it to the developers.</source>
        <translation>报告 {file} 中不含您的任何内容；请把它发送给开发者。</translation>
    </message>
</context>
<context>
    <name>DocumentView</name>
    <message>
        <source>Document</source>
        <translation>文档</translation>
    </message>
    <message>
        <source>Page</source>
        <translation>页面</translation>
    </message>
</context>
<context>
    <name>DownloadList</name>
    <message>
        <source>Downloads</source>
        <translation>下载</translation>
    </message>
</context>
<context>
    <name>DownloadRow</name>
    <message>
        <source>Pause</source>
        <translation>暂停</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>继续</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>重试</translation>
    </message>
    <message>
        <source>Use it</source>
        <translation>使用</translation>
    </message>
    <message>
        <source>Take off the list</source>
        <translation>从列表移除</translation>
    </message>
    <message>
        <source>Cancel and delete</source>
        <translation>取消并删除</translation>
    </message>
</context>
<context>
    <name>DraftSender</name>
    <message>
        <source>Not sent: “{name}” cannot be used.</source>
        <translation>未发送：“{name}”无法使用。</translation>
    </message>
    <message>
        <source>Remove it or mend it, then send again. Nothing else was lost.</source>
        <translation>请移除或修复它，然后重新发送。其他内容都还在。</translation>
    </message>
    <message>
        <source>Not sent: not all that was dropped could be attached.</source>
        <translation>未发送：拖放的内容未能全部附加。</translation>
    </message>
    <message>
        <source>Look over what is attached, then send it.</source>
        <translation>请检查已附加的内容，然后发送。</translation>
    </message>
</context>
<context>
    <name>DropOverlay</name>
    <message>
        <source>Drop to attach</source>
        <translation>松开以添加</translation>
    </message>
</context>
<context>
    <name>EmptyState</name>
    <message>
        <source>Drop a screenshot, ask about it</source>
        <translation>拖入截图，就它提问</translation>
    </message>
    <message>
        <source>Pictures stay on this computer. You can also paste one, or just type a question.</source>
        <translation>图片不会离开本机。也可以粘贴图片，或直接输入问题。</translation>
    </message>
    <message>
        <source>This small model came with the program: it reads text, finds words, counts shapes, adds numbers and times changes in short videos. For everything else get a real model.</source>
        <translation>这是程序自带的小模型：它能读文字、找词、数形状、做加法，并指出短视频中变化的时间。其他任务请获取正式模型。</translation>
    </message>
    <message>
        <source>Get a model …</source>
        <translation>获取模型…</translation>
    </message>
    <message>
        <source>What does this error mean?</source>
        <translation>这个错误是什么意思？</translation>
    </message>
    <message>
        <source>Copy the text out of this picture</source>
        <translation>提取这张图片里的文字</translation>
    </message>
    <message>
        <source>Turn this table into Markdown</source>
        <translation>把这个表格转成 Markdown</translation>
    </message>
    <message>
        <source>Explain this chart to me</source>
        <translation>给我解释这张图表</translation>
    </message>
    <message>
        <source>Try it: read a receipt</source>
        <translation>试一试：读一张收据</translation>
    </message>
    <message>
        <source>Read the text.</source>
        <translation>读出图中的文字。</translation>
    </message>
    <message>
        <source>Try it: find a word</source>
        <translation>试一试：找一个词</translation>
    </message>
    <message>
        <source>Where is &quot;CORNER SHOP&quot;?</source>
        <translation>找出“CORNER SHOP”的位置。</translation>
    </message>
    <message>
        <source>Try it: count shapes</source>
        <translation>试一试：数图形</translation>
    </message>
    <message>
        <source>How many circles are there?</source>
        <translation>图中有几个圆形？</translation>
    </message>
    <message>
        <source>Try it: time a change in a video</source>
        <translation>试一试：找出视频中变化的时间</translation>
    </message>
    <message>
        <source>When does the circle change its colour?</source>
        <translation>圆形什么时候变色？</translation>
    </message>
</context>
<context>
    <name>ErrorCard</name>
    <message>
        <source>Send again</source>
        <translation>重新发送</translation>
    </message>
    <message>
        <source>Why?</source>
        <translation>为什么？</translation>
    </message>
</context>
<context>
    <name>GetModel</name>
    <message>
        <source>{count} billion weights</source>
        <translation>{count}B 参数</translation>
    </message>
    <message>
        <source>runs well here</source>
        <translation>在此运行良好</translation>
    </message>
    <message>
        <source>fits with losses</source>
        <translation>可运行，有损失</translation>
    </message>
    <message>
        <source>would be slow here</source>
        <translation>在此会较慢</translation>
    </message>
    <message>
        <source>does not fit</source>
        <translation>内存不足</translation>
    </message>
    <message>
        <source>Recommended</source>
        <translation>推荐</translation>
    </message>
    <message>
        <source>4 bits: smallest</source>
        <translation>4 位：最小</translation>
    </message>
    <message>
        <source>8 bits: as good as 16</source>
        <translation>8 位：与 16 位相当</translation>
    </message>
    <message>
        <source>16 bits, GGUF</source>
        <translation>16 位，GGUF</translation>
    </message>
    <message>
        <source>16 bits, for PyTorch</source>
        <translation>16 位，用于 PyTorch</translation>
    </message>
    <message>
        <source>{form} (best here)</source>
        <translation>{form}（此处最佳）</translation>
    </message>
    <message>
        <source>Needs {needed} of the {limit} that may be used ({device}): {fit}.</source>
        <translation>需要 {needed}，可用 {limit}（{device}）：{fit}。</translation>
    </message>
    <message>
        <source>Given up for it: {steps}.</source>
        <translation>为此放弃：{steps}。</translation>
    </message>
    <message>
        <source>{done} of {total}</source>
        <translation>{done} / {total}</translation>
    </message>
    <message>
        <source>waits for its turn</source>
        <translation>等待中</translation>
    </message>
    <message>
        <source>paused</source>
        <translation>已暂停</translation>
    </message>
    <message>
        <source>stopped</source>
        <translation>已停止</translation>
    </message>
    <message>
        <source>is here</source>
        <translation>已就绪</translation>
    </message>
    <message>
        <source>connecting</source>
        <translation>正在连接</translation>
    </message>
    <message>
        <source>checking {file}</source>
        <translation>正在校验 {file}</translation>
    </message>
    <message>
        <source>{rate} a second</source>
        <translation>每秒 {rate}</translation>
    </message>
    <message>
        <source>{time} left</source>
        <translation>剩余 {time}</translation>
    </message>
    <message>
        <source>{count} s</source>
        <translation>{count} 秒</translation>
    </message>
    <message>
        <source>{count} min</source>
        <translation>{count} 分钟</translation>
    </message>
    <message>
        <source>{count} h</source>
        <translation>{count} 小时</translation>
    </message>
</context>
<context>
    <name>GetModelControl</name>
    <message>
        <source>{name} is here.</source>
        <translation>{name} 已就绪。</translation>
    </message>
    <message>
        <source>Choose it in the list of models (Ctrl+M).</source>
        <translation>请在模型列表（Ctrl+M）中选择它。</translation>
    </message>
</context>
<context>
    <name>GetModelDialog</name>
    <message>
        <source>Looking at this computer …</source>
        <translation>正在查看这台电脑…</translation>
    </message>
    <message>
        <source>Asking {host} …</source>
        <translation>正在询问 {host}…</translation>
    </message>
    <message>
        <source>Ask {host} for the size</source>
        <translation>向 {host} 询问大小</translation>
    </message>
    <message>
        <source>{host} is contacted when you press the button, not before.</source>
        <translation>只有按下按钮后才会联系 {host}。</translation>
    </message>
    <message>
        <source>{size} to load from {host}; {free} are free on the disk.</source>
        <translation>需从 {host} 下载 {size}；磁盘剩余 {free}。</translation>
    </message>
    <message>
        <source>It is here already</source>
        <translation>已在本机</translation>
    </message>
    <message>
        <source>In the list below</source>
        <translation>已在下方列表中</translation>
    </message>
    <message>
        <source>Download {size}</source>
        <translation>下载 {size}</translation>
    </message>
    <message>
        <source>The disk is too full for it. Make room, or choose a smaller one.</source>
        <translation>磁盘空间不足。请腾出空间，或选择较小的模型。</translation>
    </message>
    <message>
        <source>“{name}” cannot be priced.</source>
        <translation>无法估算“{name}”的内存。</translation>
    </message>
    <message>
        <source>Get a model</source>
        <translation>获取模型</translation>
    </message>
    <message>
        <source>The small pair that came with the program reads printed text; everything else wants a real model. Your files and questions stay on this computer with these as well.</source>
        <translation>程序自带的一对小模型能读印刷文字；其他任务需要正式模型。使用正式模型时，您的文件和问题同样留在这台电脑上。</translation>
    </message>
    <message>
        <source>Models that can be had</source>
        <translation>可获取的模型</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
</context>
<context>
    <name>HistoryModel</name>
    <message>
        <source>Open in another window</source>
        <translation>已在另一个窗口中打开</translation>
    </message>
    <message>
        <source>Today</source>
        <translation>今天</translation>
    </message>
    <message>
        <source>Yesterday</source>
        <translation>昨天</translation>
    </message>
    <message>
        <source>Last 7 days</source>
        <translation>最近 7 天</translation>
    </message>
    <message>
        <source>Last 30 days</source>
        <translation>最近 30 天</translation>
    </message>
    <message>
        <source>Earlier</source>
        <translation>更早</translation>
    </message>
</context>
<context>
    <name>HistoryPanel</name>
    <message>
        <source>No conversation contains “{words}”.</source>
        <translation>没有包含“{words}”的对话。</translation>
    </message>
    <message>
        <source>Your conversations will be listed here.</source>
        <translation>您的对话会列在这里。</translation>
    </message>
    <message>
        <source>Rename</source>
        <translation>重命名</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>删除</translation>
    </message>
    <message>
        <source>Deleted: {title}</source>
        <translation>已删除：{title}</translation>
    </message>
    <message>
        <source>Search conversations</source>
        <translation>搜索对话</translation>
    </message>
    <message>
        <source>Conversations</source>
        <translation>对话</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>撤销</translation>
    </message>
</context>
<context>
    <name>JumpButton</name>
    <message>
        <source>Jump to latest</source>
        <translation>跳到最新</translation>
    </message>
</context>
<context>
    <name>KvType</name>
    <message>
        <source>16 bits</source>
        <translation>16 位</translation>
    </message>
    <message>
        <source>8 bits (FP8 E4M3)</source>
        <translation>8 位（FP8 E4M3）</translation>
    </message>
    <message>
        <source>8 bits (FP8 E5M2)</source>
        <translation>8 位（FP8 E5M2）</translation>
    </message>
    <message>
        <source>8 bits</source>
        <translation>8 位</translation>
    </message>
    <message>
        <source>4 bits</source>
        <translation>4 位</translation>
    </message>
    <message>
        <source>32 bits</source>
        <translation>32 位</translation>
    </message>
</context>
<context>
    <name>MainWindow</name>
    <message>
        <source>All files</source>
        <translation>所有文件</translation>
    </message>
    <message>
        <source>Pictures, videos, PDF</source>
        <translation>图片、视频、PDF</translation>
    </message>
    <message>
        <source>Attach files</source>
        <translation>添加文件</translation>
    </message>
    <message>
        <source>Send, or queue while an answer runs</source>
        <translation>发送；回答进行中则排队</translation>
    </message>
    <message>
        <source>Break the line</source>
        <translation>换行</translation>
    </message>
    <message>
        <source>Capture the screen</source>
        <translation>截取屏幕</translation>
    </message>
    <message>
        <source>Stop the answer</source>
        <translation>停止回答</translation>
    </message>
    <message>
        <source>Paste text, a screenshot or files</source>
        <translation>粘贴文字、截图或文件</translation>
    </message>
    <message>
        <source>New conversation</source>
        <translation>新对话</translation>
    </message>
    <message>
        <source>Show or hide earlier conversations</source>
        <translation>显示或隐藏以前的对话</translation>
    </message>
    <message>
        <source>Search conversations</source>
        <translation>搜索对话</translation>
    </message>
    <message>
        <source>Go to the message field</source>
        <translation>转到消息输入框</translation>
    </message>
    <message>
        <source>Choose a model</source>
        <translation>选择模型</translation>
    </message>
    <message>
        <source>All settings</source>
        <translation>全部设置</translation>
    </message>
    <message>
        <source>This list</source>
        <translation>本列表</translation>
    </message>
    <message>
        <source>New conversation (Ctrl+N)</source>
        <translation>新对话（Ctrl+N）</translation>
    </message>
    <message>
        <source>Earlier conversations</source>
        <translation>以前的对话</translation>
    </message>
    <message>
        <source>Earlier conversations (Ctrl+B)</source>
        <translation>以前的对话 (Ctrl+B)</translation>
    </message>
    <message>
        <source>Random weights: answers mean nothing</source>
        <translation>随机权重：回答没有意义</translation>
    </message>
</context>
<context>
    <name>MemoryGauge</name>
    <message>
        <source>Memory …</source>
        <translation>内存…</translation>
    </message>
    <message>
        <source>GPU</source>
        <translation>显存</translation>
    </message>
    <message>
        <source>RAM</source>
        <translation>内存</translation>
    </message>
    <message>
        <source>{kind} {used} / {total} GiB</source>
        <translation>{kind} {used} / {total} GiB</translation>
    </message>
    <message>
        <source>Memory: {figures}</source>
        <translation>内存：{figures}</translation>
    </message>
    <message>
        <source>Memory ceiling</source>
        <translation>内存上限</translation>
    </message>
    <message>
        <source>Work space</source>
        <translation>工作区</translation>
    </message>
    <message>
        <source>Work space and libraries</source>
        <translation>工作区和程序库</translation>
    </message>
    <message>
        <source>Weights</source>
        <translation>权重</translation>
    </message>
    <message>
        <source>Vision</source>
        <translation>视觉</translation>
    </message>
    <message>
        <source>KV cache</source>
        <translation>KV 缓存</translation>
    </message>
    <message>
        <source>Other programs</source>
        <translation>其他程序</translation>
    </message>
    <message>
        <source>Free</source>
        <translation>空闲</translation>
    </message>
    <message>
        <source>Getting tight</source>
        <translation>内存偏紧</translation>
    </message>
    <message>
        <source>Nearly full</source>
        <translation>即将用满</translation>
    </message>
    <message>
        <source>Over the ceiling</source>
        <translation>超出上限</translation>
    </message>
    <message>
        <source>Spilled: slow</source>
        <translation>已溢出：变慢</translation>
    </message>
    <message>
        <source>Little memory is left. Long answers or more files may not fit.</source>
        <translation>剩余内存不多，较长的回答或更多文件可能放不下。</translation>
    </message>
    <message>
        <source>Almost no memory is left. Close other programs, attach fewer files, or pick a smaller model.</source>
        <translation>内存几乎用尽。请关闭其他程序、减少附件，或选择更小的模型。</translation>
    </message>
    <message>
        <source>The engine uses more than the ceiling that you set. Raise it, or load the model again.</source>
        <translation>引擎占用超过了您设置的上限。请调高上限，或重新加载模型。</translation>
    </message>
    <message>
        <source>The graphics card is full, and the system has moved part of it into its own memory, which is about ten times slower. Set a ceiling, or close other programs that use the card.</source>
        <translation>显存已满，系统已将其中一部分移到内存，速度约慢十倍。请设置上限，或关闭其他使用显卡的程序。</translation>
    </message>
    <message>
        <source>Planned peak of the engine</source>
        <translation>引擎的计划峰值</translation>
    </message>
    <message>
        <source>none</source>
        <translation>无</translation>
    </message>
    <message>
        <source>Ceiling for the engine</source>
        <translation>引擎的上限</translation>
    </message>
    <message>
        <source>In shared system memory</source>
        <translation>占用共享系统内存</translation>
    </message>
    <message>
        <source>%1 GiB</source>
        <translation>%1 GiB</translation>
    </message>
    <message>
        <source>%1 MiB</source>
        <translation>%1 MiB</translation>
    </message>
    <message>
        <source>System memory</source>
        <translation>系统内存</translation>
    </message>
    <message>
        <source>{device}: {used} of {total} GiB used</source>
        <translation>{device}：已用 {used} / {total} GiB</translation>
    </message>
</context>
<context>
    <name>MemoryPanel</name>
    <message>
        <source>Memory details</source>
        <translation>内存详情</translation>
    </message>
    <message>
        <source>Memory ceiling</source>
        <translation>内存上限</translation>
    </message>
    <message>
        <source>Planned peak of the engine</source>
        <translation>引擎的计划峰值</translation>
    </message>
    <message>
        <source>In shared system memory</source>
        <translation>占用共享系统内存</translation>
    </message>
    <message>
        <source>Ceiling for the engine</source>
        <translation>引擎的上限</translation>
    </message>
    <message>
        <source>Ceiling for the engine in GiB</source>
        <translation>引擎的上限（GiB）</translation>
    </message>
    <message>
        <source>Give the model&apos;s memory back</source>
        <translation>释放模型占用的内存</translation>
    </message>
    <message>
        <source>For other programs; the model loads again with your next message.</source>
        <translation>留给其他程序使用；发送下一条消息时模型会重新加载。</translation>
    </message>
    <message>
        <source>none</source>
        <translation>无</translation>
    </message>
    <message>
        <source>Answers are planned to stay below it; the whole program&apos;s memory counts.</source>
        <translation>回答会按不超过此上限来规划；计入整个程序占用的内存。</translation>
    </message>
    <message>
        <source>The last {minutes} minutes: the engine filled, all programs as a line</source>
        <translation>最近 {minutes} 分钟：填充部分为引擎，线条为所有程序</translation>
    </message>
</context>
<context>
    <name>Message</name>
    <message>
        <source>Copy message</source>
        <translation>复制消息</translation>
    </message>
    <message>
        <source>Select all</source>
        <translation>全选</translation>
    </message>
</context>
<context>
    <name>ModelList</name>
    <message>
        <source>Looking for models …</source>
        <translation>正在查找模型…</translation>
    </message>
    <message>
        <source>No model was found.</source>
        <translation>没有找到模型。</translation>
    </message>
    <message>
        <source>Open folder …</source>
        <translation>打开文件夹…</translation>
    </message>
    <message>
        <source>Open GGUF file …</source>
        <translation>打开 GGUF 文件…</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Get a model …</source>
        <translation>获取模型…</translation>
    </message>
    <message>
        <source>Get a model … ({percent} % loaded)</source>
        <translation>获取模型…（已下载 {percent} %）</translation>
    </message>
    <message>
        <source>Get a model … ({count} unfinished)</source>
        <translation>获取模型…（{count} 个未完成）</translation>
    </message>
</context>
<context>
    <name>ModelPicker</name>
    <message>
        <source>Model: {name}</source>
        <translation>模型：{name}</translation>
    </message>
    <message>
        <source>Choose a model (Ctrl+M)</source>
        <translation>选择模型（Ctrl+M）</translation>
    </message>
    <message>
        <source>Choose a model</source>
        <translation>选择模型</translation>
    </message>
    <message>
        <source>Open a model&apos;s folder</source>
        <translation>打开模型文件夹</translation>
    </message>
    <message>
        <source>Open a model&apos;s GGUF file</source>
        <translation>打开模型的 GGUF 文件</translation>
    </message>
    <message>
        <source>Thinking</source>
        <translation>Thinking</translation>
    </message>
    <message>
        <source>Instruct</source>
        <translation>Instruct</translation>
    </message>
    <message>
        <source>automatic choice of the forms below</source>
        <translation>自动选用以下版本</translation>
    </message>
    <message>
        <source>random weights, answers mean nothing</source>
        <translation>随机权重，回答没有意义</translation>
    </message>
    <message>
        <source>No weights were found.</source>
        <translation>没有找到权重。</translation>
    </message>
    <message>
        <source>Missing: {names}</source>
        <translation>缺少：{names}</translation>
    </message>
</context>
<context>
    <name>OtherField</name>
    <message>
        <source>Another one:</source>
        <translation>其他模型：</translation>
    </message>
    <message>
        <source>owner/name, or the link of its page</source>
        <translation>所有者/名称，或其页面链接</translation>
    </message>
    <message>
        <source>Name or link of another repository</source>
        <translation>其他仓库的名称或链接</translation>
    </message>
    <message>
        <source>Look it up at {host}</source>
        <translation>在 {host} 查找</translation>
    </message>
</context>
<context>
    <name>PlacesPanel</name>
    <message>
        <source>Copy crop</source>
        <translation>复制裁剪区域</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>保存</translation>
    </message>
    <message>
        <source>Show as a document</source>
        <translation>显示为文档</translation>
    </message>
    <message>
        <source>Picture</source>
        <translation>图片</translation>
    </message>
    <message>
        <source>Picture with marks</source>
        <translation>带标注的图片</translation>
    </message>
    <message>
        <source>Ctrl and the wheel zoom, a double click as well; drag to move</source>
        <translation>按住 Ctrl 并滚动滚轮或双击可缩放；拖动可移动</translation>
    </message>
    <message>
        <source>What the answer points at</source>
        <translation>回答所指的内容</translation>
    </message>
    <message>
        <source>Picture with marks …</source>
        <translation>带标注的图片…</translation>
    </message>
    <message>
        <source>JSON …</source>
        <translation>JSON…</translation>
    </message>
    <message>
        <source>COCO annotations …</source>
        <translation>COCO 标注…</translation>
    </message>
    <message>
        <source>Page {number} of {name}</source>
        <translation>{name} 第 {number} 页</translation>
    </message>
    <message>
        <source>PNG pictures (*.png)</source>
        <translation>PNG 图片 (*.png)</translation>
    </message>
    <message>
        <source>JSON files (*.json)</source>
        <translation>JSON 文件 (*.json)</translation>
    </message>
    <message>
        <source>{file} was not saved: {reason}. Choose another folder, or free some space.</source>
        <translation>{file} 未能保存：{reason}。请选择其他文件夹，或腾出一些空间。</translation>
    </message>
</context>
<context>
    <name>PlanNote</name>
    <message>
        <source>Everything fits as it is; nothing was given up.</source>
        <translation>全部可以原样运行，没有任何取舍。</translation>
    </message>
    <message>
        <source>The prompt is read {tokens} tokens at a time instead of {before}: less work space, a little slower.</source>
        <translation>提示每次读取 {tokens} 个 token，而不是 {before} 个：占用的工作空间更少，速度略慢。</translation>
    </message>
    <message>
        <source>The vision part stays in system memory, since there is nothing to see.</source>
        <translation>没有图像可看，视觉部分留在内存中。</translation>
    </message>
    <message>
        <source>{moved} of {layers} layers stay in system memory: a little slower.</source>
        <translation>{layers} 层中有 {moved} 层留在内存中：速度略慢。</translation>
    </message>
    <message>
        <source>The KV cache holds 8-bit numbers ({kv_type}): {saved_bytes} less, hardly any loss.</source>
        <translation>KV 缓存使用 8 位数（{kv_type}）：减少 {saved_bytes}，几乎没有损失。</translation>
    </message>
    <message>
        <source>The KV cache holds 4-bit numbers ({kv_type}): {saved_bytes} less, some loss.</source>
        <translation>KV 缓存使用 4 位数（{kv_type}）：减少 {saved_bytes}，有一些损失。</translation>
    </message>
    <message>
        <source>The weights are loaded in 8 bits: {saved_bytes} less, hardly any loss.</source>
        <translation>权重以 8 位载入：减少 {saved_bytes}，几乎没有损失。</translation>
    </message>
    <message>
        <source>Pictures are shown with at most {tokens} tokens each.</source>
        <translation>每张图片最多用 {tokens} 个 token 显示。</translation>
    </message>
    <message>
        <source>Pictures are shown with at most {tokens} tokens each, under the {wanted} that small text and exact places want: both may be missed.</source>
        <translation>每张图片最多用 {tokens} 个 token 显示，少于小字和精确位置所需的 {wanted} 个：两者都可能被遗漏。</translation>
    </message>
    <message>
        <source>At most {frames} frames of a video are looked at.</source>
        <translation>每个视频最多查看 {frames} 帧。</translation>
    </message>
    <message>
        <source>The attachments are read in {parts} parts, one after the other.</source>
        <translation>附件分为 {parts} 段逐一读取。</translation>
    </message>
    <message>
        <source>Only {kept} of {layers} layers are on the GPU: the answer comes much more slowly.</source>
        <translation>{layers} 层中只有 {kept} 层在显卡上：回答会慢得多。</translation>
    </message>
    <message>
        <source>{model} answers with {backend} and {precision} weights.</source>
        <translation>由 {model} 通过 {backend} 以 {precision} 权重回答。</translation>
    </message>
    <message>
        <source>{missing_bytes} are missing even so.</source>
        <translation>即便如此仍缺少 {missing_bytes}。</translation>
    </message>
    <message>
        <source>Prompt and answer take {tokens} tokens; this model reads {most} at once.</source>
        <translation>提示和回答需要 {tokens} 个 token；此模型一次只能读 {most} 个。</translation>
    </message>
    <message>
        <source>Ask for an answer of at most {tokens} tokens.</source>
        <translation>请将回答限制在最多 {tokens} 个 token。</translation>
    </message>
    <message>
        <source>Send it as it is: it is answered in about {parts} parts, which become one answer.</source>
        <translation>直接发送即可：将分为大约 {parts} 段回答，再合成一个回答。</translation>
    </message>
    <message>
        <source>Attach fewer or smaller files, or start a new conversation.</source>
        <translation>请减少附件或使用更小的文件，或者开始新的对话。</translation>
    </message>
    <message>
        <source>Ask with a shorter text, or start a new conversation.</source>
        <translation>请缩短文字，或者开始新的对话。</translation>
    </message>
    <message>
        <source>Set the KV cache to automatic: a smaller number type would fit.</source>
        <translation>请将 KV 缓存设为自动：更小的数值类型可以放下。</translation>
    </message>
    <message>
        <source>Let the prompt be read in chunks of any size: smaller ones would fit.</source>
        <translation>请允许提示以任意大小分块读取：较小的分块可以放下。</translation>
    </message>
    <message>
        <source>Raise the ceiling by {missing_bytes}: {free_bytes} are free.</source>
        <translation>请将上限提高 {missing_bytes}：目前空闲 {free_bytes}。</translation>
    </message>
    <message>
        <source>Set the KV cache to automatic and let the prompt be read in chunks of any size: together they would fit.</source>
        <translation>请将 KV 缓存设为自动，并允许提示以任意大小分块读取：一起更改即可放下。</translation>
    </message>
    <message>
        <source>Set the KV cache and the chunks to automatic and raise the ceiling by {missing_bytes} ({free_bytes} are free): together they would fit.</source>
        <translation>请将 KV 缓存和分块设为自动，并将上限提高 {missing_bytes}（目前空闲 {free_bytes}）：一起更改即可放下。</translation>
    </message>
    <message>
        <source>Close other programs: {missing_bytes} more must be free on {device}.</source>
        <translation>请关闭其他程序：{device} 还需要空出 {missing_bytes}。</translation>
    </message>
    <message>
        <source>Load the model anew: {unused_bytes} that lie in pieces can be used then.</source>
        <translation>请重新加载模型：目前成为碎片的 {unused_bytes} 之后即可使用。</translation>
    </message>
    <message>
        <source>Use {model} with {backend}: it fits.</source>
        <translation>请通过 {backend} 使用 {model}：可以放下。</translation>
    </message>
    <message>
        <source>Attach fewer files: {fitting} of the {files} fit.</source>
        <translation>请减少附件：{files} 个文件中可以放下 {fitting} 个。</translation>
    </message>
    <message>
        <source>Attach fewer pages or pictures: the text alone fits.</source>
        <translation>请减少页面或图片：单独的文字可以放下。</translation>
    </message>
    <message>
        <source>Pick a smaller model.</source>
        <translation>请选择更小的模型。</translation>
    </message>
    <message>
        <source>The KV cache is set to {bits}-bit numbers, and the conversation is long: {kv_bytes} for {tokens} tokens, {saved_bytes} more than it could be.</source>
        <translation>KV 缓存设为 {bits} 位，而对话很长：{tokens} 个 token 占 {kv_bytes}，比可达到的多 {saved_bytes}。</translation>
    </message>
    <message>
        <source>{tokens} tokens of the prompt are set to be read at once: {work_bytes} of work space.</source>
        <translation>设为一次读取提示的 {tokens} 个 token：需要 {work_bytes} 工作空间。</translation>
    </message>
    <message>
        <source>The pictures are very fine: {tokens} tokens for the largest; reading it takes {vision_bytes}.</source>
        <translation>图片非常精细：最大的一张有 {tokens} 个 token，读取它需要 {vision_bytes}。</translation>
    </message>
    <message>
        <source>The task shows every picture with {tokens} tokens or more: {pictures} of them, {kv_bytes} in the KV cache.</source>
        <translation>此任务以至少 {tokens} 个 token 显示每张图片：共 {pictures} 张，在 KV 缓存中占 {kv_bytes}。</translation>
    </message>
    <message>
        <source>The weights are stored in 32 bits: {weight_bytes}, twice of what 16 bits take.</source>
        <translation>权重以 32 位存储：{weight_bytes}，是 16 位的两倍。</translation>
    </message>
    <message>
        <source>The ceiling is set to {limit_bytes}, and {free_bytes} are free.</source>
        <translation>上限设为 {limit_bytes}，而空闲的有 {free_bytes}。</translation>
    </message>
    <message>
        <source>Other programs hold {other_bytes} of {device}.</source>
        <translation>其他程序占用了 {device} 的 {other_bytes}。</translation>
    </message>
    <message>
        <source>{unused_bytes} of the engine&apos;s memory lie in pieces that are too small to be used.</source>
        <translation>引擎的内存中有 {unused_bytes} 是过小而无法使用的碎片。</translation>
    </message>
</context>
<context>
    <name>PlanStep</name>
    <message>
        <source>smaller prompt chunks</source>
        <translation>较小的提示分块</translation>
    </message>
    <message>
        <source>some layers on the processor</source>
        <translation>部分层在处理器上</translation>
    </message>
    <message>
        <source>8-bit KV cache</source>
        <translation>8 位 KV 缓存</translation>
    </message>
    <message>
        <source>8-bit weights</source>
        <translation>8 位权重</translation>
    </message>
    <message>
        <source>4-bit KV cache</source>
        <translation>4 位 KV 缓存</translation>
    </message>
    <message>
        <source>smaller pictures</source>
        <translation>较小的图片</translation>
    </message>
    <message>
        <source>fewer frames</source>
        <translation>较少的帧</translation>
    </message>
    <message>
        <source>parts read one by one</source>
        <translation>分段逐一读取</translation>
    </message>
    <message>
        <source>smaller weights of this model</source>
        <translation>此模型的较小权重</translation>
    </message>
    <message>
        <source>the other backend</source>
        <translation>另一个后端</translation>
    </message>
    <message>
        <source>a smaller model</source>
        <translation>较小的模型</translation>
    </message>
    <message>
        <source>most layers on the processor, which is slow</source>
        <translation>大部分层在处理器上，速度较慢</translation>
    </message>
    <message>
        <source>very small pictures, which loses small print</source>
        <translation>很小的图片，会丢失小字</translation>
    </message>
    <message>
        <source>the other model let go of</source>
        <translation>释放另一个模型</translation>
    </message>
    <message>
        <source>room for a shorter conversation</source>
        <translation>较短的对话空间</translation>
    </message>
</context>
<context>
    <name>PriceLine</name>
    <message>
        <source>1 file cannot be used</source>
        <translation>1 个文件无法使用</translation>
    </message>
    <message>
        <source>{count} files cannot be used</source>
        <translation>{count} 个文件无法使用</translation>
    </message>
    <message>
        <source>Too much at once, so it is answered in parts · {tokens} tokens</source>
        <translation>一次放不下，将分段回答 · {tokens} 个 token</translation>
    </message>
    <message>
        <source>Too long: {tokens} tokens, and the model reads {most} at once</source>
        <translation>太长：{tokens} 个 token，模型一次只能读 {most} 个</translation>
    </message>
    <message>
        <source>Does not fit: {short} too much · {tokens} tokens, peak {peak} of {limit}</source>
        <translation>放不下：超出 {short} · {tokens} 个 token，峰值 {peak} / {limit}</translation>
    </message>
    <message>
        <source>Fits with {how} · {tokens} tokens, peak {peak} of {limit}</source>
        <translation>可运行（{how}）· {tokens} 个 token，峰值 {peak} / {limit}</translation>
    </message>
    <message>
        <source>Fits · {tokens} tokens, peak {peak} of {limit}</source>
        <translation>可运行 · {tokens} 个 token，峰值 {peak} / {limit}</translation>
    </message>
    <message>
        <source>{model} in {device}, KV cache in {kv_type}</source>
        <translation>{model}，位于 {device}，KV 缓存 {kv_type}</translation>
    </message>
</context>
<context>
    <name>ReadingNote</name>
    <message>
        <source>Do not attach it</source>
        <translation>不附加它</translation>
    </message>
    <message>
        <source>The message goes when that is done.</source>
        <translation>读取完成后即发送消息。</translation>
    </message>
    <message>
        <source>Reading {count} files and folders …</source>
        <translation>正在读取 {count} 个文件和文件夹…</translation>
    </message>
    <message>
        <source>Reading “{name}” …</source>
        <translation>正在读取“{name}”…</translation>
    </message>
</context>
<context>
    <name>RegionPicker</name>
    <message>
        <source>Choose a part of the screen</source>
        <translation>选择屏幕区域</translation>
    </message>
    <message>
        <source>Drag over a part of the screen · Enter takes all of it · Esc cancels</source>
        <translation>拖动选择屏幕区域 · Enter 截取整个屏幕 · Esc 取消</translation>
    </message>
    <message>
        <source>Click a window or drag over a part of the screen · Enter takes all of it · Esc cancels</source>
        <translation>单击一个窗口，或拖选屏幕的一部分 · 回车截取全屏 · Esc 取消</translation>
    </message>
</context>
<context>
    <name>RemedyActions</name>
    <message>
        <source>Ask in a new conversation</source>
        <translation>在新对话中提问</translation>
    </message>
    <message>
        <source>Set the KV cache to automatic</source>
        <translation>将 KV 缓存设为自动</translation>
    </message>
    <message>
        <source>Read it in smaller chunks</source>
        <translation>分成更小的块读取</translation>
    </message>
    <message>
        <source>Set the memory settings to automatic</source>
        <translation>将内存设置改为自动</translation>
    </message>
    <message>
        <source>Raise the ceiling by {size}</source>
        <translation>将上限提高 {size}</translation>
    </message>
    <message>
        <source>Load the model anew</source>
        <translation>重新加载模型</translation>
    </message>
    <message>
        <source>Use {model}</source>
        <translation>使用 {model}</translation>
    </message>
    <message>
        <source>Pick another model</source>
        <translation>选择其他模型</translation>
    </message>
    <message>
        <source>Get a model …</source>
        <translation>获取模型…</translation>
    </message>
    <message>
        <source>Leave the files out</source>
        <translation>不带文件</translation>
    </message>
    <message>
        <source>Leave the last file out</source>
        <translation>去掉最后一个文件</translation>
    </message>
    <message>
        <source>Leave the last {count} files out</source>
        <translation>去掉最后 {count} 个文件</translation>
    </message>
    <message>
        <source>Edit the message</source>
        <translation>修改消息</translation>
    </message>
    <message>
        <source>Weights {weights}, KV cache {kv_cache}, pictures {vision}, work space {workspace}, runtime {overhead}.</source>
        <translation>权重 {weights}，KV 缓存 {kv_cache}，图片 {vision}，工作空间 {workspace}，运行时 {overhead}。</translation>
    </message>
</context>
<context>
    <name>RetryNotices</name>
    <message>
        <source>Memory ran out while {what}. It goes on with {step}; nothing was lost.</source>
        <translation>{what}时内存不足。现改用{step}继续，没有丢失任何内容。</translation>
    </message>
    <message>
        <source>Memory ran out while {what}. It goes on with less; nothing was lost.</source>
        <translation>{what}时内存不足。现以更少的内存继续，没有丢失任何内容。</translation>
    </message>
    <message>
        <source>The engine had ended ({detail}) before it began; your message went to a new one.</source>
        <translation>引擎在开始处理之前就已结束（{detail}）；消息已交给新的引擎。</translation>
    </message>
</context>
<context>
    <name>SelectionPopup</name>
    <message>
        <source>This password does not open it.</source>
        <translation>此密码无法打开该文件。</translation>
    </message>
    <message>
        <source>{count} tokens</source>
        <translation>{count} 个 token</translation>
    </message>
    <message>
        <source>{count} frames</source>
        <translation>{count} 帧</translation>
    </message>
    <message>
        <source>Password</source>
        <translation>密码</translation>
    </message>
    <message>
        <source>all {count}</source>
        <translation>全部 {count} 页</translation>
    </message>
    <message>
        <source>Pages</source>
        <translation>页码</translation>
    </message>
    <message>
        <source>Coarse, few tokens</source>
        <translation>粗略，token 少</translation>
    </message>
    <message>
        <source>Normal</source>
        <translation>普通</translation>
    </message>
    <message>
        <source>Fine, for small print</source>
        <translation>精细，适合小字</translation>
    </message>
    <message>
        <source>Sharpness</source>
        <translation>清晰度</translation>
    </message>
    <message>
        <source>Give the pages&apos; own text as well</source>
        <translation>同时提供页面自带的文字</translation>
    </message>
    <message>
        <source>Part of the video</source>
        <translation>视频片段</translation>
    </message>
    <message>
        <source>From, to</source>
        <translation>起止时间</translation>
    </message>
    <message>
        <source>Few, one in two seconds</source>
        <translation>少，每两秒一帧</translation>
    </message>
    <message>
        <source>Normal, two a second</source>
        <translation>普通，每秒两帧</translation>
    </message>
    <message>
        <source>Many, four a second</source>
        <translation>多，每秒四帧</translation>
    </message>
    <message>
        <source>Frames</source>
        <translation>帧数</translation>
    </message>
    <message>
        <source>Leave out frames that hardly change</source>
        <translation>略去几乎不变的帧</translation>
    </message>
</context>
<context>
    <name>Session</name>
    <message>
        <source>Pictures from earlier in this conversation cannot be read any more: {names}.</source>
        <translation>本对话中较早的图片已无法读取：{names}。</translation>
    </message>
    <message>
        <source>The model answers without them; attach them again where they matter.</source>
        <translation>模型将不参考这些图片作答；如有需要请重新添加。</translation>
    </message>
    <message>
        <source>Your settings cannot be saved ({reason}).</source>
        <translation>设置无法保存（{reason}）。</translation>
    </message>
    <message>
        <source>Make {file} writable; until then they hold for this window.</source>
        <translation>请使 {file} 可写；在此之前，设置仅对本窗口有效。</translation>
    </message>
</context>
<context>
    <name>SettingsDialog</name>
    <message>
        <source>Settings</source>
        <translation>设置</translation>
    </message>
    <message>
        <source>These are kept in {file}.</source>
        <translation>这些设置保存在 {file} 中。</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>保存</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
    <message>
        <source>Restore defaults</source>
        <translation>恢复默认</translation>
    </message>
    <message>
        <source>Answers</source>
        <translation>回答</translation>
    </message>
    <message>
        <source>Answer with</source>
        <translation>回答方式</translation>
    </message>
    <message>
        <source>Automatic: by the task</source>
        <translation>自动：按任务选择</translation>
    </message>
    <message>
        <source>Instruct: answers at once</source>
        <translation>Instruct：直接回答</translation>
    </message>
    <message>
        <source>Thinking: thinks first</source>
        <translation>Thinking：先思考再回答</translation>
    </message>
    <message>
        <source>Longest thought, in tokens</source>
        <translation>思考的最大长度（token）</translation>
    </message>
    <message>
        <source>What there is room for</source>
        <translation>有多少空间用多少</translation>
    </message>
    <message>
        <source>Steps of a thought</source>
        <translation>思考的步数</translation>
    </message>
    <message>
        <source>Longest step, in tokens</source>
        <translation>每一步的最大长度（token）</translation>
    </message>
    <message>
        <source>Show answers while they are written</source>
        <translation>边写边显示回答</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Name or path</source>
        <translation>名称或路径</translation>
    </message>
    <message>
        <source>The largest usable one</source>
        <translation>最大的可用模型</translation>
    </message>
    <message>
        <source>Backend</source>
        <translation>后端</translation>
    </message>
    <message>
        <source>Automatic</source>
        <translation>自动</translation>
    </message>
    <message>
        <source>Download models from</source>
        <translation>模型下载地址</translation>
    </message>
    <message>
        <source>Longest conversation, in tokens</source>
        <translation>对话的最大长度（token）</translation>
    </message>
    <message>
        <source>Memory</source>
        <translation>内存</translation>
    </message>
    <message>
        <source>Most memory, in GiB</source>
        <translation>最多使用的内存（GiB）</translation>
    </message>
    <message>
        <source>What is free</source>
        <translation>空闲多少用多少</translation>
    </message>
    <message>
        <source>Automatic: as the memory asks for</source>
        <translation>自动：视内存而定</translation>
    </message>
    <message>
        <source>KV cache</source>
        <translation>KV 缓存</translation>
    </message>
    <message>
        <source>Read long prompts in chunks</source>
        <translation>分块读取长提示</translation>
    </message>
    <message>
        <source>Size of a chunk, in tokens</source>
        <translation>每块的大小（token）</translation>
    </message>
    <message>
        <source>Most tokens of a picture</source>
        <translation>每张图片最多几个 token</translation>
    </message>
    <message>
        <source>As fine as the model reads them</source>
        <translation>按模型能读取的精细程度</translation>
    </message>
    <message>
        <source>Window</source>
        <translation>窗口</translation>
    </message>
    <message>
        <source>Theme</source>
        <translation>主题</translation>
    </message>
    <message>
        <source>As the system</source>
        <translation>跟随系统</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>浅色</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>深色</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>语言</translation>
    </message>
    <message>
        <source>Show earlier conversations at the side</source>
        <translation>在侧边显示以前的对话</translation>
    </message>
</context>
<context>
    <name>SettingsMenu</name>
    <message>
        <source>Settings</source>
        <translation>设置</translation>
    </message>
    <message>
        <source>Answer with</source>
        <translation>回答方式</translation>
    </message>
    <message>
        <source>Automatic: by the task</source>
        <translation>自动：按任务选择</translation>
    </message>
    <message>
        <source>Instruct: answers at once</source>
        <translation>Instruct：直接回答</translation>
    </message>
    <message>
        <source>Thinking: thinks first</source>
        <translation>Thinking：先思考再回答</translation>
    </message>
    <message>
        <source>As long as there is room</source>
        <translation>有空间就一直想</translation>
    </message>
    <message>
        <source>Up to {count} tokens</source>
        <translation>最多 {count} 个 token</translation>
    </message>
    <message>
        <source>In one go</source>
        <translation>一次想完</translation>
    </message>
    <message>
        <source>In up to {count} steps, in the memory of one</source>
        <translation>最多分 {count} 步，只占一步的内存</translation>
    </message>
    <message>
        <source>Longest thought</source>
        <translation>最长思考</translation>
    </message>
    <message>
        <source>Think in steps</source>
        <translation>分步思考</translation>
    </message>
    <message>
        <source>Backend</source>
        <translation>后端</translation>
    </message>
    <message>
        <source>Automatic</source>
        <translation>自动</translation>
    </message>
    <message>
        <source>KV cache</source>
        <translation>KV 缓存</translation>
    </message>
    <message>
        <source>Automatic: as the memory asks for</source>
        <translation>自动：视内存而定</translation>
    </message>
    <message>
        <source>Up to {count} tokens each</source>
        <translation>每张最多 {count} 个 token</translation>
    </message>
    <message>
        <source>As fine as the model reads them</source>
        <translation>按模型能读取的精细程度</translation>
    </message>
    <message>
        <source>Pictures</source>
        <translation>图片</translation>
    </message>
    <message>
        <source>Theme</source>
        <translation>主题</translation>
    </message>
    <message>
        <source>As the system</source>
        <translation>跟随系统</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>浅色</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>深色</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>语言</translation>
    </message>
    <message>
        <source>All settings …</source>
        <translation>全部设置…</translation>
    </message>
    <message>
        <source>Keyboard shortcuts</source>
        <translation>键盘快捷键</translation>
    </message>
</context>
<context>
    <name>ShortcutsDialog</name>
    <message>
        <source>Keyboard shortcuts</source>
        <translation>键盘快捷键</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
</context>
<context>
    <name>StatusLine</name>
    <message>
        <source>{backend} on {device}</source>
        <translation>{backend}，{device}</translation>
    </message>
    <message>
        <source>Starting the engine …</source>
        <translation>正在启动引擎…</translation>
    </message>
    <message>
        <source>The engine is ready, no model is loaded</source>
        <translation>引擎已就绪，尚未加载模型</translation>
    </message>
    <message>
        <source>The engine was started again; the model loads with your next message</source>
        <translation>引擎已重新启动；模型将在发送下一条消息时加载</translation>
    </message>
    <message>
        <source>No model is loaded</source>
        <translation>未加载模型</translation>
    </message>
    <message>
        <source>No model is loaded; it loads with your next message</source>
        <translation>未加载模型；发送下一条消息时加载</translation>
    </message>
    <message>
        <source>The engine is not running</source>
        <translation>引擎未运行</translation>
    </message>
    <message>
        <source>Starting {backend}</source>
        <translation>正在启动 {backend}</translation>
    </message>
    <message>
        <source>Loading the tokenizer</source>
        <translation>正在加载分词器</translation>
    </message>
    <message>
        <source>Loading weights</source>
        <translation>正在加载权重</translation>
    </message>
    <message>
        <source>Loading the vision part</source>
        <translation>正在加载视觉部分</translation>
    </message>
    <message>
        <source>Warming up</source>
        <translation>正在预热</translation>
    </message>
    <message>
        <source>Loading</source>
        <translation>正在加载</translation>
    </message>
    <message>
        <source>{stage} {percent} %</source>
        <translation>{stage} {percent}%</translation>
    </message>
    <message>
        <source>{rate} tokens/s</source>
        <translation>{rate} token/秒</translation>
    </message>
    <message>
        <source>first token {seconds} s</source>
        <translation>首个 token {seconds} 秒</translation>
    </message>
</context>
<context>
    <name>TablePiece</name>
    <message>
        <source>Table</source>
        <translation>表格</translation>
    </message>
</context>
<context>
    <name>TaskChip</name>
    <message>
        <source>Task: %1</source>
        <translation>任务：%1</translation>
    </message>
    <message>
        <source>Hide what the model is asked</source>
        <translation>隐藏向模型提出的问题</translation>
    </message>
    <message>
        <source>Show what the model is asked</source>
        <translation>显示向模型提出的问题</translation>
    </message>
    <message>
        <source>Without this task</source>
        <translation>取消此任务</translation>
    </message>
</context>
<context>
    <name>TaskPresets</name>
    <message>
        <source>Read the text</source>
        <translation>读取文字</translation>
    </message>
    <message>
        <source>Text with its places</source>
        <translation>文字及其位置</translation>
    </message>
    <message>
        <source>Find …</source>
        <translation>查找…</translation>
    </message>
    <message>
        <source>What should be found?</source>
        <translation>要查找什么？</translation>
    </message>
    <message>
        <source>Document to Markdown</source>
        <translation>文档转 Markdown</translation>
    </message>
    <message>
        <source>Table to CSV</source>
        <translation>表格转 CSV</translation>
    </message>
    <message>
        <source>Video: what happens when</source>
        <translation>视频：何时发生了什么</translation>
    </message>
    <message>
        <source>Screenshot to HTML</source>
        <translation>截图转 HTML</translation>
    </message>
    <message>
        <source>Compare the pictures</source>
        <translation>比较图片</translation>
    </message>
    <message>
        <source>Look closely</source>
        <translation>仔细查看</translation>
    </message>
    <message>
        <source>What do you want to know?</source>
        <translation>您想知道什么？</translation>
    </message>
</context>
<context>
    <name>TasksButton</name>
    <message>
        <source>Tasks</source>
        <translation>任务</translation>
    </message>
    <message>
        <source>Tasks: read, find, convert, compare …</source>
        <translation>任务：读取、查找、转换、比较…</translation>
    </message>
</context>
<context>
    <name>TextPane</name>
    <message>
        <source>Show %1</source>
        <translation>显示 %1</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>复制</translation>
    </message>
    <message>
        <source>Select all</source>
        <translation>全选</translation>
    </message>
    <message>
        <source>Open link</source>
        <translation>打开链接</translation>
    </message>
    <message>
        <source>Copy link address</source>
        <translation>复制链接地址</translation>
    </message>
</context>
<context>
    <name>ThinkingNotes</name>
    <message>
        <source>Checking the result …</source>
        <translation>正在检查结果……</translation>
    </message>
    <message>
        <source>Writing the answer …</source>
        <translation>正在写答案……</translation>
    </message>
    <message>
        <source>Step {step} of at most {steps} …</source>
        <translation>第 {step} 步，最多 {steps} 步……</translation>
    </message>
    <message>
        <source>budget spent</source>
        <translation>思考额度用完</translation>
    </message>
    <message>
        <source>went in circles</source>
        <translation>在原地打转</translation>
    </message>
    <message>
        <source>ended by you</source>
        <translation>由您结束</translation>
    </message>
    <message>
        <source>{model}: {reason}</source>
        <translation>{model}：{reason}</translation>
    </message>
    <message>
        <source>; swap {seconds} s</source>
        <translation>；切换用时 {seconds} 秒</translation>
    </message>
    <message>
        <source>Ask {model}</source>
        <translation>改问 {model}</translation>
    </message>
    <message>
        <source>goes on with this conversation</source>
        <translation>接着本次对话</translation>
    </message>
    <message>
        <source>the only one here</source>
        <translation>这里只有它</translation>
    </message>
    <message>
        <source>as you asked</source>
        <translation>按您的要求</translation>
    </message>
    <message>
        <source>a close call, and it is loaded</source>
        <translation>两者接近，而它已加载</translation>
    </message>
</context>
<context>
    <name>ThoughtBlock</name>
    <message>
        <source>End the thought and let the model answer from what it has</source>
        <translation>结束思考，让模型根据已有内容作答</translation>
    </message>
    <message>
        <source>Answer now</source>
        <translation>立即回答</translation>
    </message>
    <message>
        <source>Thinking… %1 s</source>
        <translation>正在思考… %1 秒</translation>
    </message>
    <message>
        <source>Thinking…</source>
        <translation>正在思考…</translation>
    </message>
    <message>
        <source>Thought</source>
        <translation>思考</translation>
    </message>
    <message>
        <source>Thought for %1 s</source>
        <translation>思考了 %1 秒</translation>
    </message>
    <message>
        <source>%1 tokens</source>
        <translation>%1 个 token</translation>
    </message>
    <message>
        <source>folded</source>
        <translation>已折叠</translation>
    </message>
    <message>
        <source>unfolded</source>
        <translation>已展开</translation>
    </message>
</context>
<context>
    <name>UserMessage</name>
    <message>
        <source>Your message</source>
        <translation>您的消息</translation>
    </message>
    <message>
        <source>Queued</source>
        <translation>排队中</translation>
    </message>
    <message>
        <source>Remove this message</source>
        <translation>移除此消息</translation>
    </message>
    <message>
        <source>Show all</source>
        <translation>显示全部</translation>
    </message>
    <message>
        <source>Show the whole message</source>
        <translation>显示整条消息</translation>
    </message>
</context>
<context>
    <name>VideoBar</name>
    <message>
        <source>Moments of the video</source>
        <translation>视频中的时刻</translation>
    </message>
    <message>
        <source>Stop playing</source>
        <translation>停止播放</translation>
    </message>
    <message>
        <source>Play, without sound</source>
        <translation>播放（无声音）</translation>
    </message>
</context>
<context>
    <name>WaitingWords</name>
    <message>
        <source>Reading the question …</source>
        <translation>正在读取问题…</translation>
    </message>
    <message>
        <source>Looking at {name} …</source>
        <translation>正在查看 {name}…</translation>
    </message>
    <message>
        <source>Reading {done} of {total} tokens …</source>
        <translation>正在读取 token：{done} / {total}…</translation>
    </message>
    <message>
        <source>Loading {model} …</source>
        <translation>正在加载 {model}…</translation>
    </message>
    <message>
        <source>Loading {model}, {percent} %</source>
        <translation>正在加载 {model}，{percent}%</translation>
    </message>
</context>
<context>
    <name>ZoomRow</name>
    <message>
        <source>Looked closer: %1</source>
        <translation>放大查看：%1 处</translation>
    </message>
    <message>
        <source>Page %1 of %2</source>
        <translation>%2 第 %1 页</translation>
    </message>
    <message>
        <source>Looked closer at %1</source>
        <translation>放大查看：%1</translation>
    </message>
</context>
<context>
    <name>_NoticeRow</name>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
    <message>
        <source>Close this notice</source>
        <translation>关闭此通知</translation>
    </message>
</context>
<context>
    <name>errors</name>
    <message>
        <source>{reason}</source>
        <translation>{reason}</translation>
    </message>
    <message>
        <source>{remedy}</source>
        <translation>{remedy}</translation>
    </message>
    <message>
        <source>There is no model “{name}” here.</source>
        <translation>这里没有模型“{name}”。</translation>
    </message>
    <message>
        <source>Pick a model from the list, or open its folder or GGUF file.</source>
        <translation>请从列表中选择模型，或打开它的文件夹或 GGUF 文件。</translation>
    </message>
    <message>
        <source>No usable model is here yet.</source>
        <translation>这里还没有可用的模型。</translation>
    </message>
    <message>
        <source>“{name}” is not complete: {missing} is missing.</source>
        <translation>“{name}”不完整：缺少 {missing}。</translation>
    </message>
    <message>
        <source>Download the missing file into the model&apos;s folder, then try again.</source>
        <translation>请把缺少的文件下载到模型文件夹，然后重试。</translation>
    </message>
    <message>
        <source>“{name}” is not a Qwen3-VL model: {reason}.</source>
        <translation>“{name}”不是 Qwen3-VL 模型：{reason}。</translation>
    </message>
    <message>
        <source>Choose a Qwen3-VL model with its vision part.</source>
        <translation>请选择带有视觉部分的 Qwen3-VL 模型。</translation>
    </message>
    <message>
        <source>The model file “{file}” is damaged: {reason}.</source>
        <translation>模型文件“{file}”已损坏：{reason}。</translation>
    </message>
    <message>
        <source>Download this file again.</source>
        <translation>请重新下载此文件。</translation>
    </message>
    <message>
        <source>“{name}” has no mmproj file, so it cannot see pictures.</source>
        <translation>“{name}”没有 mmproj 文件，因此无法看图。</translation>
    </message>
    <message>
        <source>Put the model&apos;s mmproj GGUF file into the same folder.</source>
        <translation>请把该模型的 mmproj GGUF 文件放入同一文件夹。</translation>
    </message>
    <message>
        <source>The mmproj file “{file}” belongs to another model: {reason}.</source>
        <translation>mmproj 文件“{file}”属于另一个模型：{reason}。</translation>
    </message>
    <message>
        <source>Use the mmproj file that was published with this model.</source>
        <translation>请使用随此模型发布的 mmproj 文件。</translation>
    </message>
    <message>
        <source>“{name}” has no {kind} variant here.</source>
        <translation>这里没有“{name}”的 {kind} 版本。</translation>
    </message>
    <message>
        <source>Set the mode to “auto”, or put that variant beside this model.</source>
        <translation>请把模式设为“auto”，或把该版本放到此模型旁边。</translation>
    </message>
    <message>
        <source>The {backend} backend cannot run this model: {reason}.</source>
        <translation>{backend} 后端无法运行此模型：{reason}。</translation>
    </message>
    <message>
        <source>Set the backend to “auto”, or pick another model.</source>
        <translation>请把后端设为“auto”，或选择其他模型。</translation>
    </message>
    <message>
        <source>Memory ran out while {what}, and nothing is left to give up: {needed_gib} GiB are needed, {limit_gib} GiB could be used ({device}).</source>
        <translation>{what}时内存不足，已没有可再让步之处：需要 {needed_gib} GiB，可用 {limit_gib} GiB（{device}）。</translation>
    </message>
    <message>
        <source>The folder “{folder}” cannot be written ({reason}).</source>
        <translation>无法写入文件夹“{folder}”（{reason}）。</translation>
    </message>
    <message>
        <source>Check its permissions and the free space, or name another one in QWEN3VL_DESKTOP_HOME.</source>
        <translation>请检查其权限和剩余空间，或用 QWEN3VL_DESKTOP_HOME 指定另一个文件夹。</translation>
    </message>
    <message>
        <source>It starts again by itself: send once more what stays unanswered.</source>
        <translation>它会自动重新启动：没有得到回答的消息，请再发送一次。</translation>
    </message>
    <message>
        <source>The file “{name}” is not there.</source>
        <translation>找不到文件“{name}”。</translation>
    </message>
    <message>
        <source>Check its name and its place, then attach it again.</source>
        <translation>请检查文件名和所在位置，然后重新添加。</translation>
    </message>
    <message>
        <source>“{name}” may not be read.</source>
        <translation>没有权限读取“{name}”。</translation>
    </message>
    <message>
        <source>Change the file&apos;s permissions, or attach a copy.</source>
        <translation>请修改文件权限，或添加一个副本。</translation>
    </message>
    <message>
        <source>“{name}” was changed while it was being read.</source>
        <translation>“{name}”在读取过程中被修改。</translation>
    </message>
    <message>
        <source>Send the message again.</source>
        <translation>请重新发送消息。</translation>
    </message>
    <message>
        <source>Too little memory is free to open “{name}”.</source>
        <translation>空闲内存太少，无法打开“{name}”。</translation>
    </message>
    <message>
        <source>Attach a smaller version or a crop of it, or close other programs.</source>
        <translation>请附上较小的版本或其中一部分，或关闭其他程序。</translation>
    </message>
    <message>
        <source>“{name}” is a folder.</source>
        <translation>“{name}”是一个文件夹。</translation>
    </message>
    <message>
        <source>Attach the files in it.</source>
        <translation>请添加其中的文件。</translation>
    </message>
    <message>
        <source>“{name}” is not a picture, video or PDF that this program can read.</source>
        <translation>“{name}”不是本程序能读取的图片、视频或 PDF。</translation>
    </message>
    <message>
        <source>Attach a PNG, JPEG, WebP, BMP, TIFF, GIF, AVIF or HEIC picture, an MP4, MOV, MKV, WebM or AVI video, or a PDF.</source>
        <translation>请附加 PNG、JPEG、WebP、BMP、TIFF、GIF、AVIF 或 HEIC 图片，MP4、MOV、MKV、WebM 或 AVI 视频，或 PDF。</translation>
    </message>
    <message>
        <source>“{name}” is damaged or cut short.</source>
        <translation>“{name}”已损坏或不完整。</translation>
    </message>
    <message>
        <source>Save or download the picture again, then attach it.</source>
        <translation>请重新保存或下载图片，然后再添加。</translation>
    </message>
    <message>
        <source>“{name}” has {width} × {height} pixels, more than the limit of {limit_megapixels} megapixels.</source>
        <translation>“{name}”有 {width} × {height} 像素，超过了 {limit_megapixels} 百万像素的上限。</translation>
    </message>
    <message>
        <source>Attach a smaller version or a crop of it.</source>
        <translation>请添加较小的版本或裁剪后的图片。</translation>
    </message>
    <message>
        <source>“{name}” has no pixels.</source>
        <translation>“{name}”没有任何像素。</translation>
    </message>
    <message>
        <source>Save the picture again, then attach it.</source>
        <translation>请重新保存图片，然后再添加。</translation>
    </message>
    <message>
        <source>“{name}” is {width} × {height} pixels: one side is over 200 times the other.</source>
        <translation>“{name}”为 {width} × {height} 像素：一边超过另一边的 200 倍。</translation>
    </message>
    <message>
        <source>Crop the picture and attach the part that matters.</source>
        <translation>请裁剪图片，只添加需要的部分。</translation>
    </message>
    <message>
        <source>“{name}” holds no video that can be played, or it is damaged.</source>
        <translation>“{name}”中没有可播放的视频，或者文件已损坏。</translation>
    </message>
    <message>
        <source>Save or convert the video again as MP4, then attach it.</source>
        <translation>请将视频重新保存或转换为 MP4，然后再附加。</translation>
    </message>
    <message>
        <source>The PDF “{name}” is damaged, cut short, or has no pages.</source>
        <translation>PDF“{name}”已损坏、不完整或没有页面。</translation>
    </message>
    <message>
        <source>Save or download the document again, then attach it.</source>
        <translation>请重新保存或下载该文档，然后再附加。</translation>
    </message>
    <message>
        <source>“{name}” is locked with a password.</source>
        <translation>“{name}”受密码保护。</translation>
    </message>
    <message>
        <source>Give the document&apos;s password.</source>
        <translation>请提供该文档的密码。</translation>
    </message>
    <message>
        <source>Page {page} of “{name}” takes too long to draw.</source>
        <translation>“{name}”的第 {page} 页绘制耗时过长。</translation>
    </message>
    <message>
        <source>Choose other pages, or print the document into a new PDF and attach that.</source>
        <translation>请选择其他页面，或将文档打印为新的 PDF 后再附加。</translation>
    </message>
    <message>
        <source>“{name}” has {pages} pages; {first} to {last} is no range of them.</source>
        <translation>“{name}”共有 {pages} 页；{first} 到 {last} 不是有效的页码范围。</translation>
    </message>
    <message>
        <source>Choose pages between 1 and {pages}.</source>
        <translation>请选择 1 到 {pages} 之间的页码。</translation>
    </message>
    <message>
        <source>“{name}” ends at {end}; nothing of it is at {start}.</source>
        <translation>“{name}”在 {end} 结束；{start} 处没有内容。</translation>
    </message>
    <message>
        <source>Choose a begin before {end}.</source>
        <translation>请选择早于 {end} 的起点。</translation>
    </message>
    <message>
        <source>This conversation needs {tokens} tokens; the model&apos;s context holds {limit}.</source>
        <translation>此对话需要 {tokens} 个 token；模型的上下文只能容纳 {limit} 个。</translation>
    </message>
    <message>
        <source>Start a new conversation, or attach fewer or smaller files.</source>
        <translation>请开始新对话，或添加更少、更小的文件。</translation>
    </message>
    <message>
        <source>The model ended without writing anything.</source>
        <translation>模型没有写出任何内容就结束了。</translation>
    </message>
    <message>
        <source>Send the question again, or ask the other model.</source>
        <translation>请重新发送问题，或改用另一个模型。</translation>
    </message>
    <message>
        <source>Choose “Get a model …” in the list of models (in a terminal: the command “get”), or put a Qwen3-VL folder, or its GGUF file with the mmproj file, into {folder}.</source>
        <translation>请在模型列表中选择“获取模型…”（在终端中使用命令“get”），或将 Qwen3-VL 文件夹，或其 GGUF 文件连同 mmproj 文件，放入 {folder}。</translation>
    </message>
    <message>
        <source>This does not fit: {needed_gib} GiB are needed, {limit_gib} GiB may be used ({device}), {missing_gib} GiB are missing.</source>
        <translation>内存不足：需要 {needed_gib} GiB，可用 {limit_gib} GiB（{device}），还缺 {missing_gib} GiB。</translation>
    </message>
    <message>
        <source>{remedies}</source>
        <translation>{remedies}</translation>
    </message>
    <message>
        <source>This fits in {segments} parts only, one after the other.</source>
        <translation>只有分成 {segments} 段、逐一读取才放得下。</translation>
    </message>
    <message>
        <source>Ask about some of the pages, or a shorter stretch of the video.</source>
        <translation>请只询问部分页面，或视频中较短的一段。</translation>
    </message>
    <message>
        <source>Memory ran out while {what}.</source>
        <translation>{what}时内存不足。</translation>
    </message>
    <message>
        <source>Close other programs that use the graphics card, attach fewer files, or pick a smaller model.</source>
        <translation>请关闭其他占用显卡的程序，减少附件，或选择更小的模型。</translation>
    </message>
    <message>
        <source>The program ended while this answer was being written.</source>
        <translation>程序在写出此回答时结束了。</translation>
    </message>
    <message>
        <source>What was written is kept. Ask again, or go on from here.</source>
        <translation>已写出的内容已保留。可以重新提问，或从这里继续。</translation>
    </message>
    <message>
        <source>The file with your conversations was damaged, so a new one was begun.</source>
        <translation>保存对话的文件已损坏，因此新建了一个。</translation>
    </message>
    <message>
        <source>The old file was kept beside it as “{kept_as}”; restore a backup of “{file}” if you have one.</source>
        <translation>旧文件已在同一位置保留为“{kept_as}”；如有“{file}”的备份，可自行恢复。</translation>
    </message>
    <message>
        <source>Your conversation cannot be saved ({reason}).</source>
        <translation>对话无法保存（{reason}）。</translation>
    </message>
    <message>
        <source>Check the free space and the permissions of your user folder; until then it lives only in this window.</source>
        <translation>请检查用户文件夹的剩余空间和权限；在此之前，对话只保留在此窗口中。</translation>
    </message>
    <message>
        <source>This conversation is open in another window.</source>
        <translation>此对话已在另一个窗口中打开。</translation>
    </message>
    <message>
        <source>Go on in that window, or close it first.</source>
        <translation>请在那个窗口中继续，或先关闭它。</translation>
    </message>
    <message>
        <source>The engine stopped while {what} ({detail}).</source>
        <translation>引擎在{what}时停止了（{detail}）。</translation>
    </message>
    <message>
        <source>The engine did not answer for {seconds} s while {what}.</source>
        <translation>引擎在{what}时有 {seconds} 秒没有响应。</translation>
    </message>
    <message>
        <source>The engine sent something unreadable while {what}.</source>
        <translation>引擎在{what}时发来了无法读取的内容。</translation>
    </message>
    <message>
        <source>Something went wrong inside the program: {reason}.</source>
        <translation>程序内部出错：{reason}。</translation>
    </message>
    <message>
        <source>Try once more; if it happens again, please report it with the log file.</source>
        <translation>请再试一次；如果再次发生，请附上日志文件反馈给我们。</translation>
    </message>
    <message>
        <source>starting</source>
        <translation>启动</translation>
    </message>
    <message>
        <source>loading the model</source>
        <translation>加载模型</translation>
    </message>
    <message>
        <source>preparing the request</source>
        <translation>准备请求</translation>
    </message>
    <message>
        <source>reading the attachments</source>
        <translation>读取附件</translation>
    </message>
    <message>
        <source>reading the attachment</source>
        <translation>读取附件</translation>
    </message>
    <message>
        <source>reading the prompt</source>
        <translation>读取提示</translation>
    </message>
    <message>
        <source>reading a picture</source>
        <translation>读取图片</translation>
    </message>
    <message>
        <source>looking at a picture</source>
        <translation>查看图片</translation>
    </message>
    <message>
        <source>answering</source>
        <translation>回答</translation>
    </message>
    <message>
        <source>writing the answer</source>
        <translation>写出回答</translation>
    </message>
    <message>
        <source>making room for the conversation</source>
        <translation>为对话分配空间</translation>
    </message>
    <message>
        <source>making room for a longer conversation</source>
        <translation>为更长的对话分配空间</translation>
    </message>
    <message>
        <source>Only safetensors files of this model are complete here.</source>
        <translation>此模型只有 safetensors 文件是完整的。</translation>
    </message>
    <message>
        <source>Only GGUF files of this model are complete here.</source>
        <translation>此模型只有 GGUF 文件是完整的。</translation>
    </message>
    <message>
        <source>No NVIDIA GPU was found, so the GGUF file runs in llama.cpp.</source>
        <translation>未找到 NVIDIA 显卡，因此用 llama.cpp 运行 GGUF 文件。</translation>
    </message>
    <message>
        <source>The installed torch has no CUDA, so the GGUF file runs in llama.cpp.</source>
        <translation>所安装的 torch 不支持 CUDA，因此用 llama.cpp 运行 GGUF 文件。</translation>
    </message>
    <message>
        <source>The transformers backend was asked for.</source>
        <translation>已指定 transformers 后端。</translation>
    </message>
    <message>
        <source>The llama.cpp backend was asked for.</source>
        <translation>已指定 llama.cpp 后端。</translation>
    </message>
    <message>
        <source>the mmproj file</source>
        <translation>mmproj 文件</translation>
    </message>
    <message>
        <source>the chat template</source>
        <translation>对话模板</translation>
    </message>
    <message>
        <source>the tokenizer (tokenizer.json)</source>
        <translation>分词器（tokenizer.json）</translation>
    </message>
    <message>
        <source>every weight file</source>
        <translation>所有权重文件</translation>
    </message>
    <message>
        <source>it has no vision part</source>
        <translation>它没有视觉部分</translation>
    </message>
    <message>
        <source>it is not part of this installation</source>
        <translation>它不在此安装中</translation>
    </message>
    <message>
        <source>PyTorch finds no CUDA graphics card</source>
        <translation>PyTorch 找不到支持 CUDA 的显卡</translation>
    </message>
    <message>
        <source>this installation of it uses no GPU</source>
        <translation>此安装不使用显卡</translation>
    </message>
    <message>
        <source>it is cut short or has bytes too many</source>
        <translation>它不完整或含有多余的字节</translation>
    </message>
    <message>
        <source>killed by the system</source>
        <translation>被系统终止</translation>
    </message>
    <message>
        <source>its name was not found</source>
        <translation>找不到该名称</translation>
    </message>
    <message>
        <source>its certificate is not trusted</source>
        <translation>其证书不受信任</translation>
    </message>
    <message>
        <source>the connection was refused</source>
        <translation>连接被拒绝</translation>
    </message>
    <message>
        <source>it did not answer in time</source>
        <translation>没有及时回应</translation>
    </message>
    <message>
        <source>the connection broke off</source>
        <translation>连接中断</translation>
    </message>
    <message>
        <source>what it sent is no answer of a model hub</source>
        <translation>它返回的不是模型站点的回应</translation>
    </message>
    <message>
        <source>it was asked too often</source>
        <translation>请求过于频繁</translation>
    </message>
    <message>
        <source>it sent more than the file holds</source>
        <translation>发送的内容超过了文件大小</translation>
    </message>
    <message>
        <source>it asks for a password</source>
        <translation>它要求密码</translation>
    </message>
    <message>
        <source>it holds no safetensors and no GGUF files</source>
        <translation>其中没有 safetensors 或 GGUF 文件</translation>
    </message>
    <message>
        <source>its GGUF files come without an mmproj file, or in parts of which some are missing</source>
        <translation>其 GGUF 文件没有 mmproj 文件，或缺少部分分卷</translation>
    </message>
    <message>
        <source>its safetensors are not complete</source>
        <translation>其 safetensors 不完整</translation>
    </message>
    <message>
        <source>its config.json cannot be read</source>
        <translation>其 config.json 无法读取</translation>
    </message>
    <message>
        <source>its config.json has no vision part</source>
        <translation>其 config.json 没有视觉部分</translation>
    </message>
    <message>
        <source>its weights are quantised in a way that only other programs read</source>
        <translation>其权重的量化方式只有其他程序能读取</translation>
    </message>
    <message>
        <source>{host} cannot be reached: {reason}.</source>
        <translation>无法连接 {host}：{reason}。</translation>
    </message>
    <message>
        <source>Check the network connection, or name a mirror in the settings, then try again; what was loaded is kept.</source>
        <translation>请检查网络连接，或在设置中改用镜像地址，然后重试；已下载的部分会保留。</translation>
    </message>
    <message>
        <source>The environment variable HF_HUB_OFFLINE forbids downloads.</source>
        <translation>环境变量 HF_HUB_OFFLINE 禁止下载。</translation>
    </message>
    <message>
        <source>Remove it, then start the program again.</source>
        <translation>请删除它，然后重新启动程序。</translation>
    </message>
    <message>
        <source>The proxy did not let the way to {host} open: {reason}.</source>
        <translation>代理没有放行到 {host} 的连接：{reason}。</translation>
    </message>
    <message>
        <source>Correct HTTPS_PROXY, HTTP_PROXY or NO_PROXY in the environment, then start the program again.</source>
        <translation>请更正环境变量 HTTPS_PROXY、HTTP_PROXY 或 NO_PROXY，然后重新启动程序。</translation>
    </message>
    <message>
        <source>{host} did not deliver: {reason}.</source>
        <translation>{host} 没有提供文件：{reason}。</translation>
    </message>
    <message>
        <source>Try again in some minutes; what was loaded is kept.</source>
        <translation>请几分钟后重试；已下载的部分会保留。</translation>
    </message>
    <message>
        <source>“{endpoint}” is no address to load models from.</source>
        <translation>“{endpoint}”不是可以下载模型的地址。</translation>
    </message>
    <message>
        <source>Correct hub_endpoint in the settings, as https://huggingface.co; empty is that one.</source>
        <translation>请在设置中更正 hub_endpoint，例如 https://huggingface.co；留空即为该地址。</translation>
    </message>
    <message>
        <source>“{text}” names no repository.</source>
        <translation>“{text}”不是仓库名。</translation>
    </message>
    <message>
        <source>Write owner/name, as Qwen/Qwen3-VL-4B-Instruct, or the link of its page.</source>
        <translation>请写成“所有者/名称”，例如 Qwen/Qwen3-VL-4B-Instruct，或粘贴其页面的链接。</translation>
    </message>
    <message>
        <source>There is no “{name}” at {host}, or it is private.</source>
        <translation>{host} 上没有“{name}”，或者它是私有的。</translation>
    </message>
    <message>
        <source>Compare the name with the page of the model.</source>
        <translation>请与模型页面上的名称核对。</translation>
    </message>
    <message>
        <source>{host} does not give “{name}” to everybody.</source>
        <translation>{host} 不向所有人提供“{name}”。</translation>
    </message>
    <message>
        <source>Download it in a browser where you are signed in, then open its folder here.</source>
        <translation>请在已登录的浏览器中下载，然后在这里打开其文件夹。</translation>
    </message>
    <message>
        <source>“{name}” cannot be used here: {reason}.</source>
        <translation>“{name}”无法在这里使用：{reason}。</translation>
    </message>
    <message>
        <source>Choose a Qwen3-VL with 16-bit weights, or a GGUF of one with its mmproj file.</source>
        <translation>请选择 16 位权重的 Qwen3-VL，或带有 mmproj 文件的 GGUF。</translation>
    </message>
    <message>
        <source>“{name}” has no {precision}.</source>
        <translation>“{name}”没有 {precision}。</translation>
    </message>
    <message>
        <source>There is: {there}.</source>
        <translation>现有：{there}。</translation>
    </message>
    <message>
        <source>“{file}” arrived damaged from {host}: its checksum is another one.</source>
        <translation>从 {host} 收到的“{file}”已损坏：校验和不符。</translation>
    </message>
    <message>
        <source>It was thrown away; resume to load it once more.</source>
        <translation>该文件已丢弃；继续即可重新下载。</translation>
    </message>
    <message>
        <source>The download ended unexpectedly ({detail}).</source>
        <translation>下载意外结束（{detail}）。</translation>
    </message>
    <message>
        <source>Try again; what was loaded is kept.</source>
        <translation>请重试；已下载的部分会保留。</translation>
    </message>
    <message>
        <source>“{name}” is being downloaded by another window or command.</source>
        <translation>“{name}”正由另一个窗口或命令下载。</translation>
    </message>
    <message>
        <source>Wait for it, or stop it there.</source>
        <translation>请等待其完成，或在那里停止。</translation>
    </message>
    <message>
        <source>The disk is too full: {needed_gb} GB are still to come, {free_gb} GB are free in {folder}.</source>
        <translation>磁盘空间不足：还需下载 {needed_gb} GB，{folder} 中剩余 {free_gb} GB。</translation>
    </message>
    <message>
        <source>Make room there, then resume; what was loaded is kept.</source>
        <translation>请腾出空间后继续；已下载的部分会保留。</translation>
    </message>
    <message>
        <source>Nothing can be written into {folder} ({reason}).</source>
        <translation>无法写入 {folder}（{reason}）。</translation>
    </message>
    <message>
        <source>Change the folder&apos;s permissions, then try again.</source>
        <translation>请更改该文件夹的权限，然后重试。</translation>
    </message>
</context>
<context>
    <name>tasks</name>
    <message>
        <source>proof</source>
        <translation>证明</translation>
    </message>
    <message>
        <source>multi-step sum</source>
        <translation>多步计算</translation>
    </message>
    <message>
        <source>cause and effect</source>
        <translation>因果</translation>
    </message>
    <message>
        <source>comparison</source>
        <translation>比较</translation>
    </message>
    <message>
        <source>planning</source>
        <translation>规划</translation>
    </message>
    <message>
        <source>debugging</source>
        <translation>调试</translation>
    </message>
    <message>
        <source>checking</source>
        <translation>检查</translation>
    </message>
    <message>
        <source>decision</source>
        <translation>取舍</translation>
    </message>
    <message>
        <source>reasoning in steps</source>
        <translation>分步推理</translation>
    </message>
    <message>
        <source>puzzle</source>
        <translation>谜题</translation>
    </message>
    <message>
        <source>analysis</source>
        <translation>分析</translation>
    </message>
    <message>
        <source>programming</source>
        <translation>编程</translation>
    </message>
    <message>
        <source>reading</source>
        <translation>阅读</translation>
    </message>
    <message>
        <source>places in the picture</source>
        <translation>图中位置</translation>
    </message>
    <message>
        <source>translation</source>
        <translation>翻译</translation>
    </message>
    <message>
        <source>extraction</source>
        <translation>提取</translation>
    </message>
    <message>
        <source>description</source>
        <translation>描述</translation>
    </message>
    <message>
        <source>writing</source>
        <translation>写作</translation>
    </message>
    <message>
        <source>plain question</source>
        <translation>简单问题</translation>
    </message>
    <message>
        <source>looking</source>
        <translation>看图</translation>
    </message>
    <message>
        <source>chat</source>
        <translation>聊天</translation>
    </message>
    <message>
        <source>time in a video</source>
        <translation>视频时刻</translation>
    </message>
    <message>
        <source>no sign of several steps</source>
        <translation>看不出需要多步</translation>
    </message>
</context>
</TS>
