"""The words by which a request's task is recognised, in English and Chinese.

Each group is a regular expression for English, matched on whole words in lower case, and one for Chinese. What a group
is worth is not said here: `weights.json` has that, learned from labelled prompts by `models/routing/train.py`.
"""

from __future__ import annotations

import re

# English words end at their boundary; `~` stands for any ending (`calculat~` is calculate, calculated, calculation).
_ENGLISH: dict[str, str] = {
    "prove": "prove|proves|proving|proof|show that|show by|derive|derivation|induction|lemma|theorem|rigorous~|"
    "counter-?example|contradiction|irrational|qed|always true|sometimes true|never true|demonstrate that|show (?:any|every|it)",
    "compute": "what(?: is|'s) the (?:result|answer)|calculat~|compute|computes|computing|solve|solving|work out|works out|simplify|integrate|integral|"
    "differentiate|derivative|add up|adds up|add them|sum up|subtract~|divide|divided by|multiply|multiplied|"
    "figure out|determine|optimi[sz]e|maximi[sz]e|minimi[sz]e|factor|expand|estimate~|arithmetic|convert \\d|check the totals?",
    "amount": "plus|minus|the sum|^sum|^total|(?:give|get|find|tell) (?:me |us )?the (?:total|sum)|add (?:it|these|those|both|all|everything)(?: of)?(?: the| these| those| it| them)?(?: \\w+)?(?: all)? (?:up|together)|"
    "add [\\w'-]+ (?:and|to) [\\w'-]+[.?!]?$|what is the total\\?|what (?:is|are) .{1,30} plus|how much is it in all|how much (?:are|is) .{1,40} (?:together|in all)|how much more|how much less|difference between|minus the|add (?:up )?the numbers|how much (?:does|do|is|are|will|would|change|more|less|sooner|longer|in total|ends?|left|each)|how long|how far|how fast|"
    "how many (?:\\w+ ){0,4}(?:do i need|are needed|more|fewer|left|remain|in all|altogether|will|would|can|ways|do neither)|"
    "what (?:percentage|fraction|probability|is the (?:probability|chance|total weight|net|sum|difference|average|ratio|largest area))|"
    "how likely|percent~|per cent|probabilit~|odds|average|mean of|median|sum of|total of|ratio|interest|discount|growth rate|"
    "speed|monthly|yearly|annual~|per (?:hour|day|week|month|year|person|square|unit|kilo~|100)|in total|altogether|together",
    "cause": "why|cause|causes|caused|causing|because of what|reason for|reasons|root cause|what led|lead to|led to|consequence~|"
    "knock-on|effects? of|effect on|effects on|impact~|what would happen|what happens if|what will happen|would happen|explain how|explain what|explain why|"
    "what drove|responsible for|how come|what went wrong|what could be wrong|symptoms?|explain the|explains?|hypothes[ie]s|imply|implies|implications?|chain of events",
    "compare": "compar~|contrast~|difference|differences|differ|differs|differently|versus|vs\\.?|better|worse|best deal|best price|best value|"
    "cheaper|cheapest|most expensive|which is (?:larger|bigger|greater|faster|smaller)|before and after|what changed|everything that changed|changed between|same person|"
    "match|matches|consistent|inconsistent|fit together|against the|odd one out|does not belong|doesn't belong|similarit~|relate|related|each of the (?:two|three|four)",
    "plan": "plan|plans|planning|schedul~|strateg~|roadmap|itinerar~|organi[sz]e|prioriti[sz]e|design|designs|budget|allocat~|roll-?out|"
    "timetable for|migration|devise|assign~|arrange|optimal|meal plan|route that|logistics|milestones?|draft a",
    "debug": "debug~|bugs?|crash~|segfault|segmentation fault|exception|deadlock|race condition|memory leak|leaks?|leaking|never ends|infinite loop|"
    "fails|failing|failed|broken|doesn't work|does not work|not working|won't|stopped working|what'?s wrong|what is wrong|do wrong|did wrong|wrong results?|"
    "spot the mistake|find the (?:bug|error|mistake|flaw)|fix|repair|troubleshoot~|diagnos~|narrow (?:it )?down|track down|undefined|nullpointer~|typeerror|valueerror|keyerror|"
    "stays dark|regression|re-?renders|refactor~",
    "verify": "verif~|check (?:whether|if|my|the|that|each|every|it|against)|cross-check|double-check|is (?:it|this|that|the \\w+) (?:correct|right|valid|true|sound)|"
    "is right|is correct|correct\\?|logically|validity|reconcil~|grade|line by line|flaw|fallac~|contradict~|follow from|follows from|does it follow|hold up|claim|match the",
    "decide": "should i|should we|should one|choose between|decide|decision|trade-?offs?|pros and cons|weigh|worth it|which (?:one )?should|which option|"
    "which supplier|which of the (?:two|three|four|five|investments|routes|offers|options)|better deal|invest~|or stay|advantages and disadvantages",
    "reason": "step by step|step-by-step|each step|one by one|go through|walk (?:me )?through|reason|reasons|reasoning|argue|argument~|justify|justif~|show your work|"
    "spelled out|with assumptions|in detail why|logic|logical|infer|infers|deduce|conclude|conclusion~|therefore|must some|"
    "explain each|explain your|explain step|and explain|and why|trace|work backwards|in what order|what order|think (?:it )?through|think carefully|consider",
    "puzzle": "tile a|dominoes|chessboard|cube is|balance [a-z0-9]+|fill in:|coins?|hidden in|scale is in|monty hall|seating|puzzle|riddle|sudoku|crossword|chess|mate in|checkmate|white to move|black to move|play as|sequence|next in|comes next|lies|liar|truth-?teller|weighings?|jugs?|"
    "cross the river|lockers|seatings|dice|coin flips?|rule:|pattern|bloops?|if all|brain ?teaser|knights? and knaves?",
    "analyse": "analy[sz]e|analy[sz]ing|analysis|assess|assesses|assessment|interpret~|evaluate|evaluation|critically|critique|risks?|trend|trends|"
    "consequences|diagnos~|investigat~|examine|insights?|deeper|second-order|root|scenario|predict|forecast|judge whether|complexity",
    "mathematics": "primes?|integers?|polynomial|matrix|matrices|eigenvalues?|triangle|geometry|algebra|equations?|inequalit~|extrema|convergen?~|converges|"
    "series|factorial|fibonacci|logarithm|trigonometr~|angle|perpendicular|circumference|hypotenuse|square root|cube root|modulo|divisib~|coprime|combinatori~|"
    "permutations?|word problem|homework problem|math problem|maths problem|vectors?|limit of|f\\(x\\)|increasing|circuit|current flows|velocity|acceleration",
    "condition": "if(?! you can| possible| any)|suppose|assume|assuming|given (?:that|the|these|this|an?|two|three)|let|unless|provided that|under the condition|when the .* is closed|based on|according to the (?:two|chart|graph|timetable|schedule)|so that|such that|going by|judging by|taking .* into account|allow for|if you allow|without paying|depends on|whatever",
    "relation": "each|twice|thrice|half|three times|times as|double|triple|remaining|the rest|left over|catch up|catches|in common|neither|both|at least|at most|exactly|"
    "older|younger|as old as|faster than|more than|less than|fewer than|shorter than|heavier|lighter|taller than|taller|in the proportion|proportion|equal pieces|every second|waste included|included",
    "method": "how (?:do|can|could|would|should|might) (?:i|we|you|one|they|he|she|it)|how (?:did|does|are|is) (?:the|this|that|these|a|an|he|she|it|they|my|our)|how to|what now|what do i do|how come|in what way|where would you|any ideas|where that comes from|what next|set up an experiment|minimum number|smallest change|fewest|shortest|least number|way to|how else",
    "feasible": "^(?:will|would|can|could|does|is|are|may|might) .*(?:through|reach|fit|fits|enough|possible|allowed|hold|open|safe|still|overrule|work|going up|legal|taller|faster)\\b|is it possible|is there a way|may i|is he allowed|am i allowed|able to|be possible|impossible|who (?:owes|wins|is taller|is second|is lying|touched|started|did it)|last before|which (?:wire|fuse|key|one) |what tipped|what moved|what did .* overlook|what are we missing|what is still missing|loophole|oversight",
    "algorithm": "algorithm|big-?o|implement|implements|recursion|recursive|dynamic programming|data structure|schema|indexes|regex|regular expression|unit tests?|sql|select|join|"
    "git|merge|rebase|docker|kubernetes|python|javascript|typescript|react|java|rust|c\\+\\+|flask|postgres~|threads?|locks?|cuda|middleware|cache|latency|def|return|for loop|while",
    "read": "read|reads|reading|reading out|transcri~|ocr|type out|copy|copies|spell out|what does (?:it|this|the \\w+) say|say|says|written|printed|stamped|writing|handwrit~|"
    "text|texts|serial number|licen[cs]e plate|plate|label|sign|subtitles?|letters|digits|word for word|decode|displayed|shown|caption",
    "locate": "where is|where's|where are|locate|located|locations?|bbox~|box|boxes|bounding|coordinates?|pixel position|point to|points|ground~|highlight|position of|mark|spotting|detect|segment|outline",
    "translate": "translat~|in (?:french|german|spanish|italian|japanese|chinese|english|korean|russian|portuguese|arabic|dutch)|"
    "(?:french|german|spanish|italian|japanese|chinese|korean|russian|portuguese) (?:word|for)|into (?:french|german|spanish|italian|japanese|chinese|english|korean|russian)|to (?:french|german|spanish|english|chinese|japanese)",
    "extract": "give me just|just the|one per line|how many pages|what is it about|extract~|pull out|pull the|list|lists|listed|get me|give me the(?! total| sum)|tell me the(?! total| sum)|fields?|json|csv|markdown|html|latex|as a table|table of|spreadsheet|convert (?:the|this|it|to)|key facts|"
    "find every|find all|names? and|e-?mail address~|phone numbers?|iso format|fill (?:in )?these|make a list|rows? of|return the|output",
    "describe": "describe~|description|caption|captions|alt text|title|titles|hashtags?|summar~|shorten|tl;?dr|bullet points|in one sentence|one line|two lines?|gist|abstract|overview|what is in|what's in|what's on|what do you see|mood",
    "rewrite": "write (?:\\w+ )?(?:ad|ads|headlines?|lines?|sentences?|paragraphs?|captions?)|write (?:two|three|four|five)|put (?:this|it|the following) in(?:to)?|past tense|future tense|rewrite|rephrase|paraphras~|correct the|spelling|grammar|polite|proofread|reply|respond to|email|e-mail|letter to|message for|poem|haiku|joke|story|slogan|tweet|lyrics|song|"
    "birthday|blog post|post|title for|name for|synonyms?|write a|write an|write me|turn (?:these|this|it) into|sound more|title case|upper ?case|lower ?case|sort alphabetically|format this|in simpler words|say that again",
    "fact": "who|whose|when was|when did|when is|capital|define|definition|meaning of|what does .* mean|mean|stand for|stands for|abbreviation|what is the (?:capital|plural|name|french|temperature|title|model|text|largest city)|which (?:unit|language|brand|app|year|country|city|plant|animal|font|author)|"
    "pronounce|name (?:the|five|three|all|a|some|two)|recommend a|what kind|what type|what year|what time|what colou?r",
    "perceive": "colou?rs?|wearing|clothing|is there|are there|is anybody|is anyone|brand|logo|landmark|how many (?:people|cars|persons|shapes|circles|dogs|eggs|stars|objects|lines|windows)|count|counts|which button|buttons?|tabs?|icon|"
    "checkbox|ticked|selected|greyed|expression|breed|front row|on the (?:left|right|wall|table)|at the (?:top|bottom|left|right)|top-left|bottom left|top right|in the (?:picture|photo|image|background|foreground)|light",
    "chat": "hi|hello|hey|thanks|thank you|good (?:morning|evening|night|afternoon)|how are you|who are you|what can you do|ok|okay|bye|never mind|forget it|continue|go on|bored|you're funny|favou?rite|opinion|chat|please help|nice",
    "no_solving": "don't solve|do not solve|without solving|without answering|not the solution|no solution needed|as text|exact indentation|nothing else|only the text|just the text|only digits|just digits|as it is",
    "moment": "at (?:which|what) (?:second|time|point|moment)|mm:ss~|timestamps?|when does|scene change|start times?|what happens|how many seconds|doing in",
}

_CHINESE: dict[str, str] = {
    "prove": "证明(?![书件])|求证|推导|论证|归纳法|反例|严格|无理数|引理|定理|必要条件|充分条件|恒成立|说明.{0,6}(?:不可能|无穷|唯一)",
    "compute": "答案是(?:什么|多少)|计算(?!机|器)|算出|算一?算|算一下|解方程|解出|求解|化简|积分|导数|求.{0,8}(?:值|解|角|和|积|根|面积|体积|周长|概率)|^求|加起来|相加|减去?|除以|乘以|估算|估计|换算|验算|最大值|最小值|最优|求出|演算|推算|折算|得多少|结果是多少",
    "amount": "总价|总额|和[是为]多少|求和|合计多少|减.{1,12}[得是等]|一共是?多少(?!页|张|人)|总共是?多少(?!页|张|人)|总和|加.{1,12}是多少|多多少|少多少|差多少|减去?.{0,12}是多少|数字的和|多久|多长时间|多少块|各(?:付|多少|是多少|几)|每人|找(?:回)?多少|多远|几分|一共有?多少(?![个只张页人辆])|总共(?:要|是|有|花)多少|总重|概率|几率|百分|平均|之和|的和|总和|比例|占比|利率|年化|增长率|增长|打.{1,2}折|折扣|时速|每月|每年|每周|每天|"
    "每平米|每百克|合计|原价|涨价|降价|浓度|还剩|剩下|够不够|几种|几岁|年龄|周长|面积|多卖|多花|提前多久|提速",
    "cause": "为什么|为何|怎么会|怎么回事|原因|缘由|导致|引起|造成|后果|影响|连锁|根源|根因|起因|诱因|什么道理|怎么塌|怎么形成|假设.{0,4}解释|会怎样|会如何|会发生什么|会带来|出了什么问题|由什么|因果|谁是因|机制|为啥|凭什么",
    "compare": "比较|对比|相比|比一比|区别|差异|差别|差在|不同|不一样|哪个更|哪一?[家种套个版].{0,6}(?:更|最|划算|合算|便宜|好|不利)|更划算|划算|合算|更好|更便宜|最便宜|最划算|对照|前后|异同|优劣|吻合|一致|对得上|对不上|谁大|谁快|同一个人|长短|不是同一|关联",
    "plan": "计划|规划|安排|方案|设计|行程|策略|排期|排[行课班进]|日程|预算|优先级|先.{0,6}后|分配|部署|路线图|分几步|分阶段|谋划|筹备|食谱|工期|步骤安排|怎么填|定个",
    "debug": "报错(?!堆栈)|调试|排查|定位问题|修复|怎么修|怎么改|bug|崩溃|异常|死锁|泄漏|段错误|故障|不工作|跑不|失败|哪里写错|哪里错|错在|接错|写错|不亮|没反应|没画面|死循环|停不下来|卡死|诊断|缩小范围|重渲染|逐个排查|一步步查|错误代码.*原因|结果不对|怎么解决",
    "verify": "核对|检查|验证|验算|复核|对不对|是否正确|是不是(?:对|正确|每)|成立吗|成立|矛盾|漏洞|站不住|靠谱吗|合理吗|合不合理|能推出|推得出|打分|批改|逐行|对一下|对一遍|是否符合|属实|可信|能不能赔|对得上",
    "decide": "该不该|要不要|选哪|怎么选|如何选|权衡|取舍|利弊|值不值|值得吗|更合适|更稳妥|还是.{1,12}(?:好|合算|划算|更)|给(?:出)?结论|决定|抉择|优先",
    "reason": "一步步|一步一步|逐步|每一步|步骤|逐条|逐个|逐一|一个个|一处一处|一环扣一环|一根根|依次|推理|推断|推测|推一|推出|理由|依据|过程|讲清楚|说清楚|讲道理|说明为|解释|逻辑|先后|顺着|来龙去脉|列明|思路|推演|展开|结合条文|论证",
    "puzzle": "配平|填完|往下填|应手|这步棋|绳子|蜡烛|蛋糕切|三门|正方体|硬币|重叠的|藏着|数独|谜题|谜语|象棋|围棋|步杀|白先|黑先|执黑|执白|规律|撒谎|说谎|说真话|天平|称.{0,3}次|过河|圆桌|坐法|骰子|下一个图形|下一个数|脑筋|推理题|鸡兔|柜子|量出|一定是.{1,6}吗|填字",
    "analyse": "分析|评估|评价|解读|判断|剖析|探讨|讨论|研究|趋势|风险|假设|诊断|推断|影响因素|预测|复杂度|局面|深层|批判|洞察|可行性|归因",
    "mathematics": "质数|素数|整数解|整数|三角形|几何|代数|方程|不等式|函数|矩阵|特征值|极值|单调|级数|收敛|阶乘|数列|斐波那契|对数|向量|极限|平方|立方|根号|开方|互质|排列|组合|应用题|数学题|电流是?多|电阻|速度|加速度|夹角|定积分",
    "condition": "如果|假如|假设|若|设(?!计|置|备|施)|已知|要是|的话|除非|按照|按(?!钮|行|顺序|拼音|字母|段|键|下|住|时)|根据|倘若|万一",
    "relation": "关系|对面|挨着|亲戚|占几|比.{1,4}(?:矮|瘦|老)|第二[高大快重]|等于几[颗个只]|几[只块枚段头]|每[人个箱件份]|倍|一半|剩下|剩余|其余|各[付是多几]|分别|共同|都不|至少|至多|最多|恰好|相同|追上|比.{1,6}(?:多|少|大|小|贵|快|慢|高|低)|几?年后|损耗|隔一",
    "method": "怎么(?:办|做|弄|下刀|走|推|排|让|分|搬|量|填|压缩|过|围|找|算|查|变没)|怎样(?!的)|如何|接下来|从哪儿?入手|下一步|有什么办法|该从|最少|最短|怎么能|办法",
    "feasible": "能不能(?!说)|能否|可不可以|是否可能|打得开|够得着|放得下|装得下|搬进|行不行|行得通|占理|还能|冲突|听谁|漏(?:看|想)|忽略了|更匹配|还缺|毛病|哪一环|哪根|关键因素|拍的板|分歧|是不是越来越|最后碰|慢慢看",
    "algorithm": "算法|复杂度|优化|实现|递归|动态规划|数据结构|数据库|表结构|索引|正则|单元测试|线程|锁|缓存|延迟|服务|集群|迁移|代码.{0,6}(?:升|改|优化|重构)|程序|循环|函数(?!图)|提交|合并|rebase|重构|组件|日志|内存|中间件",
    "read": "读|念|抄|写的?(?:是)?(?:什么|啥)|写[了着]些?(?:什么|啥)|写着|文字|转成文字|录成|录入|电子版|识别|字幕|打出来|上面的字|印的|印着|显示|抄表|车牌|序列号|号码|门牌|台词|原样|记下来|一字不差|看不清|标的是|胸牌|标签",
    "locate": "在哪(?!.{0,6}排查)|哪里(?![写有错站接好不])|哪儿|定位(?!问题)|框|坐标|位置|标出|圈出|指出(?!推理|问题|错误)|bbox|找到.{0,8}(?:商标|按钮|图标)|边界|像素",
    "translate": "翻译|翻成|译成|译为|译(?!码)|英文|英语|法语|德语|日语|韩语|俄语|西班牙语|意大利语|葡萄牙语|用中文说|白话|怎么说|怎么讲",
    "extract": "多少页|逐行抄|提取|抽取|摘出|列出|列成|列给|清单|整理|找出.{0,8}(?:所有|日期|邮箱|电话|地址)|全部找出|抄下来|输出|json|JSON|csv|CSV|markdown|Markdown|html|HTML|latex|LaTeX|转成|转为|还原成|表格|填(?:这|写|以下)|关键信息|字段|格式|单独列|录成|给我",
    "describe": "讲的啥|讲的什么|描述|概括|总结|摘要|标题|配文|配个|起(?:个|什么|一个)|介绍|替代文本|话题标签|文案|说明(?:一下|文字)|一句(?:话)?(?:说明|介绍)|太长不看|压缩到|缩写|要点|概述|大意|说一遍|氛围|有什么|里有啥|讲了什么",
    "rewrite": "改写|改成|改错|润色|错别字|书面语|口语|客气|委婉|语气|回复|帮我回|邮件|祝福|写一?[首句段条封篇个]|笑话|广告词|文案|诗|换个说法|近义词|反义词|排序[：:]|大写|小写|通俗|造句|扩写|续写|起名|名字好听|取名|开头写",
    "fact": "是谁|谁的|谁穿|谁签|作者|首都|哪一?年|什么时候|是哪[年国个儿]|叫什么|什么意思|代表什么|含义|定义|什么是|单位是|化学式|哪国|哪个(?:牌子|应用|城市|国家|标签|开关|地址)|第几|几点|几页|怎么读|说出|哪一天|什么牌|有效期|什么植物|什么动物|字体",
    "perceive": "颜色|什么色|红灯|绿灯|穿着|戴|有没有|有人|有.{1,6}吗|品牌|牌子|商标|建筑|表情|几个(?:人|红|蓝|绿|黄|图形|圆|鸡蛋)|站着几|数一数|多少个|几辆|按钮|图标|开关|勾上|选中|灰的|左边|右边|左下|右上|左上|右下|前排|布局|度[？?]",
    "chat": "你好|您好|谢谢|多谢|早上好|晚上好|晚安|好的|算了|再见|陪我|聊会|聊天|介绍一下你|你是谁|你会|都会些什么|接着说|继续|你站哪|最喜欢|建议|哈哈|辛苦",
    "no_solving": "不用(?:求解|做|解|算|解释)|不要(?:求解|解答|解题|答案)|别解|原样|原文|只读|只要(?:数字|文字|框)|别的不要|就行|一字不",
    "moment": "第几秒|哪一秒|几秒|mm:ss|时间点|时间戳|什么时候(?:发生|翻|出现|变)|开始时间|正在做什么|在干什么|发生变化",
}  # fmt: skip

GROUPS = tuple(_ENGLISH)


def _compile_english(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![a-z0-9_])(?:{words.replace('~', '[a-z]*')})(?![a-z0-9])")


_PATTERNS = {group: (_compile_english(_ENGLISH[group]), re.compile(_CHINESE[group])) for group in GROUPS}


def first_matches(text: str, *, is_chinese: bool) -> dict[str, int]:
    """Where each group first occurs.

    Args:
        text: in lower case.
        is_chinese: the Chinese words are looked for as well.

    Returns:
        Group to character index; groups that do not occur are absent.
    """
    found: dict[str, int] = {}
    for group, (english, chinese) in _PATTERNS.items():
        starts = [match.start() for match in (english.search(text),) if match]
        if is_chinese:
            starts += [match.start() for match in (chinese.search(text),) if match]
        if starts:
            found[group] = min(starts)
    return found
