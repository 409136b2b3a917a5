# ruff: noqa: E501 - a pattern a line
"""The gravest of what `english` looks for, in other languages.

Matched against lower-case text whose Latin letters have no accents; other scripts are as written.
"""

from __future__ import annotations

from typing import Final

from toolguild.policies.wording.findings import Reason
from toolguild.policies.wording.phrases import Phrase, phrase, raw

__all__ = ["PHRASES_ABROAD"]

_GAP = r"[^.!?。]{0,30}?"

_SET_ASIDE: Final = (
    # Spanish, Portuguese, Italian, French, Romanian, Catalan
    rf"\b(?:ignor|olvid|descart|desobede|anul|sobrescrib)\w* {_GAP}\b(?:instruccion|indicacion|regla|orden|directri)\w*",
    rf"\b(?:ignor|esquec|desconsider|desobede)\w* {_GAP}\b(?:instruc|regra|orden|diretri)\w*",
    rf"\b(?:ignor|dimentic|tralasci|trascur)\w* {_GAP}\b(?:istruzion|regol|ordin|direttiv|indicazion)\w*",
    rf"\b(?:ignor|oubli|neglig|passe outre|ne tenez? pas compte|ne tiens pas compte)\w* {_GAP}\b(?:instruction|consigne|regle|ordre|directive)s?",
    rf"\b(?:ignor|uita)\w* {_GAP}\b(?:instructiun|reguli|comen)\w*",
    # German, Dutch, Swedish, Danish, Norwegian
    rf"\b(?:ignorier|vergiss|vergesst|vergessen|missacht|ubergeh|umgeh|beachte\w* nicht)\w* {_GAP}\b(?:anweisung|instruktion|regel|vorgabe|befehl|richtlinie)\w*",
    rf"\b(?:negeer|vergeet|sla)\w* {_GAP}\b(?:instructie|opdracht|regel|aanwijzing|richtlijn)\w*",
    rf"\b(?:ignorera|glom|ignorer|glem|se bort fra)\w* {_GAP}\b(?:instruktion|instruksjon|instruks|regl|anvisning)\w*",
    # Polish, Czech, Russian, Ukrainian
    rf"\b(?:zignoruj|ignoruj|pomin|zapomnij o|ignoruj\w*|zapomen\w*) {_GAP}\b(?:instrukcj|polecen|zasad|instrukce|pokyn|pravid)\w*",
    rf"\b(?:игнорируй|проигнорируй|забудь|игнорировать|отмени|не обращай внимания на)\w* {_GAP}(?:инструкци|указани|правил|команд|предписани)\w*",
    rf"\b(?:ігноруй|проігноруй|забудь)\w* {_GAP}(?:інструкці|вказівк|правил)\w*",
    # Turkish, Indonesian, Vietnamese, Arabic, Hebrew, Persian, Hindi
    rf"(?:talimat|kural|yonerge|komut)\w* {_GAP}(?:yok say|gormezden gel|dikkate alma|unut)\w*",
    rf"\b(?:abaikan|lupakan) {_GAP}(?:instruksi|perintah|aturan|petunjuk)\w*",
    rf"\b(?:bo qua|phot lo|quen) {_GAP}(?:huong dan|chi dan|lenh|quy tac|chi thi)",
    rf"(?:تجاهل|انس|اهمل|أهمل)\w* {_GAP}(?:التعليمات|الاوامر|الأوامر|القواعد|تعليمات)",
    rf"(?:התעלם|התעלמי|שכח) {_GAP}(?:הוראות|ההוראות|הכללים)",
    rf"(?:دستور|راهنمای)\w* {_GAP}(?:نادیده|فراموش)",
    rf"(?:निर्देश|आदेश|नियम)\S* {_GAP}(?:अनदेखा|भूल|नज़रअंदाज़|उपेक्षा)",
    # Chinese, Japanese, Korean
    rf"(?:忽略|忽视|无视|忘记|忽視|無視|忘記|不要理会|不要遵守){_GAP}(?:指令|指示|说明|規則|规则|提示|命令|內容|内容)",
    rf"(?:指示|命令|ルール|プロンプト|規則){_GAP}(?:無視|忘れ|破棄)",
    rf"(?:지시|명령|규칙|지침|프롬프트)\S* {_GAP}(?:무시|잊)",
)

_SECRETLY: Final = (
    rf"\b(?:no se lo|no le|no|nunca) (?:\w+ )?(?:dig|menciones|mencione|cuent|inform|revel|avis|muestr)\w* {_GAP}\b(?:usuari|cliente|nadie)\w*",
    rf"\bnao (?:\w+ )?(?:dig|mencion|cont|inform|revel|avis|mostr)\w* {_GAP}\b(?:usuari|cliente|ninguem)\w*",
    rf"\bnon (?:\w+ )?(?:dire|dica|dirlo|menzion|inform|rivel|avvis|mostr)\w* {_GAP}\b(?:utent|client|nessun)\w*",
    rf"\bn(?:e|')\s?(?:\w+ )?(?:dis|dites|mentionn|inform|revel|preven|montr|parl)\w* {_GAP}\b(?:utilisateur|client|personne)\w*",
    rf"\b(?:sag\w*|erwahn\w*|verrat\w*|informier\w*|teil\w*|zeig\w*|frag\w*) {_GAP}\b(?:benutzer|nutzer|anwender|kund|niemand)\w* {_GAP}\b(?:nicht|nichts|davon|mit)\b|\bniemandem\b|\b(?:nicht|nichts|nie) {_GAP}\b(?:dem|den|der) (?:benutzer|nutzer|anwender|kund)\w*|\b(?:dem|den) (?:benutzer|nutzer|anwender|kund)\w* (?:nicht|nichts|nie)\b|\bohne (?:wissen|zustimmung|den|dem) {_GAP}\b(?:benutzer|nutzer|anwender)\w*",
    rf"\b(?:vertel|zeg|meld|laat)\w* {_GAP}\b(?:gebruiker|klant)\w* {_GAP}\b(?:niet|niets)\b",
    rf"\bnie (?:\w+ )?(?:mow|wspominaj|informuj|ujawniaj|pokazuj)\w* {_GAP}\b(?:uzytkownik|klient|nikomu)\w*",
    rf"(?:не|никогда не) (?:\w+ )?(?:говори|сообщай|упоминай|раскрывай|показывай|рассказывай|спрашивай)\w* {_GAP}(?:пользовател|клиент|никому)\w*",
    rf"(?:kullanici|musteri)\w* {_GAP}(?:soyleme|bahsetme|bildirme|gosterme|sorma)\w*",
    rf"\b(?:jangan) (?:\w+ )?(?:beri ?tahu|katakan|sebutkan|ungkapkan) {_GAP}pengguna",
    rf"لا (?:تخبر|تقل|تذكر|تكشف|تعرض){_GAP}(?:المستخدم|العميل|لاحد|لأحد)",
    rf"(?:不要|别|勿|切勿|请勿){_GAP}(?:告诉|告知|通知|提及|透露|询问|告訴|透露給|显示给){_GAP}(?:用户|使用者|任何人|客户|用戶)",
    rf"(?:ユーザー|利用者|誰にも|ユーザ){_GAP}(?:言わない|伝えない|知らせない|教えない|話さない|見せない)",
    rf"사용자\S* {_GAP}(?:말하지|알리지|언급하지|묻지|보여주지)",
    rf"(?:उपयोगकर्ता|यूज़र)\S* {_GAP}(?:मत|न) (?:बता|कह|दिखा)",
)

_STEERING: Final = (
    rf"\b(?:antes de|siempre antes de) (?:usar|utilizar|llamar|invocar|ejecutar) {_GAP}\b(?:herramienta|funcion)\w*",
    rf"\bantes de (?:usar|utilizar|chamar|invocar|executar) {_GAP}\b(?:ferramenta|funcao)\w*",
    rf"\bprima di (?:usare|utilizzare|chiamare|invocare|eseguire) {_GAP}\b(?:strumento|funzione)\w*",
    rf"\bavant d(?:'|e )(?:utiliser|appeler|invoquer|executer|employer) {_GAP}\b(?:outil|fonction)\w*",
    rf"\b(?:bevor (?:du|sie)|vor (?:der|dem|jeder|jedem)) {_GAP}\b(?:werkzeug|tool|funktion|aufruf|verwend|nutz|benutz)\w*",
    rf"\bvoordat (?:je|u) {_GAP}\b(?:tool|functie|hulpmiddel|gebruikt)\w*",
    rf"(?:перед|прежде чем) {_GAP}(?:использовани|использовать|вызовом|вызвать|вызывать)\w* {_GAP}(?:инструмент|функци)\w*",
    r"(?:在)?(?:使用|调用|調用|运行)(?:此|本|这个|该|任何|其他|這個){0,2}(?:工具|函数|函數|功能)(?:之)?前",
    r"(?:この|他の)?(?:ツール|関数)を(?:使う|使用する|呼び出す|実行する)前に",
    rf"(?:도구|함수)\S* {_GAP}(?:사용하기|호출하기|실행하기) 전",
    r"قبل (?:استخدام|استدعاء) (?:هذه|اي|أي) (?:الاداة|الأداة|اداة|أداة)",
)

_MUST: Final = (
    r"\b(?:debes|debe usted|tienes que|tiene que) (?:\w+ )?(?:llamar|usar|leer|enviar|incluir|ignorar|ejecutar|pasar)",
    r"\b(?:du musst|sie mussen) (?:\w+ ){0,6}?(?:aufrufen|verwenden|lesen|senden|ignorieren|ausfuhren|ubergeben|einfugen)",
    r"\b(?:tu dois|vous devez) (?:\w+ )?(?:appeler|utiliser|lire|envoyer|inclure|ignorer|executer|transmettre)",
    r"\b(?:devi|deve) (?:\w+ )?(?:chiamare|usare|leggere|inviare|includere|ignorare|eseguire)",
    r"\b(?:voce deve|deves) (?:\w+ )?(?:chamar|usar|ler|enviar|incluir|ignorar|executar)",
    r"(?:ты должен|вы должны) (?:\w+ )?(?:вызвать|использовать|прочитать|отправить|включить|передать|выполнить)",
    r"(?:你必须|你必須|您必须|你应该立即|请务必)",
    r"(?:あなたは|必ず).{0,20}(?:しなければならない|してください|読み取って|送信して)",
)

PHRASES_ABROAD: Final[tuple[Phrase, ...]] = (
    *(phrase(Reason.OVERRIDE, raw(one), is_weighty=True) for one in _SET_ASIDE),
    *(phrase(Reason.SECRECY, raw(one), is_weighty=True) for one in _SECRETLY),
    *(phrase(Reason.STEERING, raw(one)) for one in _STEERING),
    *(phrase(Reason.ADDRESS, raw(one)) for one in _MUST),
)
