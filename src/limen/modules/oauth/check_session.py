"""Session Management 1.0: a page that apps keep in a hidden frame and ask whether the person is still the one who signed in to them.

The page alone may be framed. Its script reads a cookie without any authority (`sessions.STATE`) and compares; nobody asks the server.
A browser that keeps cookies from frames of other sites cannot tell, and then neither can the page: it answers `error`, which apps must not
take for a sign-out.
"""

from __future__ import annotations

import hashlib
import html
from typing import Final
from urllib.parse import urlsplit

from limen.kernel import secrets
from limen.modules import sessions
from limen.platform.http import PUBLIC, Answer, Call, Cookies, Endpoint, Raw, framed_policy

PATH: Final = "/oauth/check_session"

_SALT: Final = 16
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}

SCRIPT: Final = """
(function(){
function sha256(text){
var i,j,b=unescape(encodeURIComponent(text)),n=b.length,w=[],h=[],k=[],c=2,p,x,r="";
function frac(v){return ((v-Math.floor(v))*4294967296)|0}
function rot(v,s){return (v>>>s)|(v<<(32-s))}
while(k.length<64){for(p=2;p*p<=c&&c%p;p++){}if(p*p>c){if(h.length<8){h.push(frac(Math.pow(c,1/2)))}k.push(frac(Math.pow(c,1/3)))}c++}
for(i=0;i<n;i++){w[i>>2]|=b.charCodeAt(i)<<(24-i%4*8)}
w[n>>2]|=128<<(24-n%4*8);
var end=((n+8>>6)+1)*16;
for(i=0;i<end;i++){w[i]|=0}
w[end-2]=Math.floor(n/536870912);w[end-1]=n<<3;
for(i=0;i<end;i+=16){
var m=w.slice(i,i+16),s=h.slice(0);
for(j=0;j<64;j++){
if(j>15){var y=m[j-15],z=m[j-2];m[j]=(m[j-16]+(rot(y,7)^rot(y,18)^(y>>>3))+m[j-7]+(rot(z,17)^rot(z,19)^(z>>>10)))|0}
var t=(s[7]+(rot(s[4],6)^rot(s[4],11)^rot(s[4],25))+((s[4]&s[5])^(~s[4]&s[6]))+k[j]+m[j])|0;
var u=((rot(s[0],2)^rot(s[0],13)^rot(s[0],22))+((s[0]&s[1])^(s[0]&s[2])^(s[1]&s[2])))|0;
s=[(t+u)|0,s[0],s[1],s[2],(s[3]+t)|0,s[4],s[5],s[6]]}
for(j=0;j<8;j++){h[j]=(h[j]+s[j])|0}}
for(i=0;i<8;i++){x=(h[i]>>>0).toString(16);r+="00000000".slice(x.length)+x}
return r}
function state(){
var d=document.documentElement,name=d.getAttribute("data-cookie")+"="+d.getAttribute("data-mark"),all=document.cookie.split("; "),i;
for(i=0;i<all.length;i++){if(all[i].indexOf(name)===0){return all[i].slice(name.length)}}
return ""}
function judge(data,origin,answer){
var found=typeof data==="string"&&/^([^ ]+) ([0-9a-f]{64})\\.([^ .]+)$/.exec(data);
if(!found){answer("error");return}
var now=state();
if(sha256(found[1]+" "+origin+" "+now+" "+found[3])===found[2]){answer("unchanged");return}
if(now||!document.hasStorageAccess){answer("changed");return}
document.hasStorageAccess().then(function(has){answer(has?"changed":"error")},function(){answer("error")})}
function hear(e){
if(!e.source||e.source===window){return}
judge(e.data,e.origin,function(said){e.source.postMessage(said,e.origin)})}
if(window.addEventListener){window.addEventListener("message",hear,false)}else{window.attachEvent("onmessage",hear)}
})();
"""
"""In the language of 2009, so that whatever frames can run it: SHA-256 with constants computed, the cookie, the answer (section 3.2)."""

_POLICY: Final = framed_policy(SCRIPT)
_PAGE: Final = '<!doctype html>\n<html lang="en" data-cookie="{cookie}" data-mark="{mark}">\n<title>Session</title>\n<script>{script}</script>\n</html>\n'


def session_state(client_id: str, origin: str, browser_state: str) -> str:
    """Return `session_state` for an app (section 2): `<SHA-256 in hex>.<salt>`, without a space. `origin` as browsers write it."""
    salt = secrets.token(count=_SALT)
    return f"{hashlib.sha256(f'{client_id} {origin} {browser_state} {salt}'.encode()).hexdigest()}.{salt}"


def state_for(cookies: Cookies, client_id: str, redirect_uri: str) -> str:
    """Return `session_state` for the answer to an authorization request; empty where the app is no web page, or nobody is signed in here.

    An app that gets none has nothing to ask the frame about. Costs two looks into the request's cookies.
    """
    state, origin = cookies.get(sessions.STATE), origin_of(redirect_uri)
    return session_state(client_id, origin, state.reveal()) if state is not None and origin else ""


def origin_of(uri: str) -> str:
    """Return the origin of a web address as browsers write it (HTML, serialization of an origin); empty for an app's own scheme."""
    parts = urlsplit(uri)
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = "" if parts.port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


async def _frame(call: Call) -> Answer:
    name = html.escape(call.cookie_name(sessions.STATE))
    page = _PAGE.format(cookie=name, mark=html.escape(call.place.tenant_mark), script=SCRIPT)
    return Raw(page.encode(), "text/html; charset=utf-8", headers=(("content-security-policy", _POLICY), ("cache-control", "public, max-age=300")))


ENDPOINTS: Final = (
    Endpoint(method="GET", path=PATH, who=PUBLIC, call=_frame, summary="The page apps ask whether the session changed (Session Management 1.0)"),
)
