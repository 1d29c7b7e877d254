; Inno Setup 6: `iscc /DVersion=0.1.0 /DFlavour=lite packaging\windows\installer.iss` after build_bundle.py.
; file_types.iss and the icon are made by it.
; Installs for one user without asking for an administrator; models and settings are the user's and stay.

#ifndef Version
  #error Give the version: iscc /DVersion=0.1.0
#endif
#ifndef Flavour
  #define Flavour "lite"
#endif
#define Program "qwen3-vl-desktop"
#define Root "..\.."

[Setup]
AppId={{6D0B7A0E-5C0B-4F3C-9B55-2F4A1E7C8D31}
AppName=Qwen3-VL Desktop
AppVersion={#Version}
AppPublisher=The Qwen3-VL Desktop authors
DefaultDirName={autopf}\Qwen3-VL Desktop
DefaultGroupName=Qwen3-VL Desktop
DisableProgramGroupPage=yes
PrivilegesRequired=lowest
PrivilegesRequiredOverridesAllowed=dialog
ArchitecturesAllowed=x64compatible
ArchitecturesInstallIn64BitMode=x64compatible
MinVersion=10.0.17763
Compression=lzma2/max
SolidCompression=yes
WizardStyle=modern
SetupIconFile={#Root}\build\icons\app.ico
UninstallDisplayIcon={app}\{#Program}.exe
LicenseFile={#Root}\LICENSE
OutputDir={#Root}\dist
OutputBaseFilename={#Program}-{#Flavour}-{#Version}-windows-x86_64
ChangesAssociations=yes
CloseApplications=yes

[Languages]
Name: "english"; MessagesFile: "compiler:Default.isl"

[Tasks]
Name: "desktopicon"; Description: "{cm:CreateDesktopIcon}"; Flags: unchecked
Name: "openwith"; Description: "Offer Qwen3-VL Desktop under ""Open with"" for pictures, videos and PDF"

[InstallDelete]
; Files of an older version that the new one no longer has.
Type: filesandordirs; Name: "{app}\_internal"

[Files]
Source: "{#Root}\build\bundle\{#Flavour}\{#Program}\*"; DestDir: "{app}"; Flags: ignoreversion recursesubdirs createallsubdirs

[Icons]
Name: "{group}\Qwen3-VL Desktop"; Filename: "{app}\{#Program}.exe"; AppUserModelID: "io.github.qwen3_vl_desktop"
Name: "{autodesktop}\Qwen3-VL Desktop"; Filename: "{app}\{#Program}.exe"; Tasks: desktopicon; AppUserModelID: "io.github.qwen3_vl_desktop"

[Registry]
; Offered, never taken: the program that opens these files stays as the person chose it.
Root: HKA; Subkey: "Software\Classes\Applications\{#Program}.exe"; ValueType: string; ValueName: "FriendlyAppName"; ValueData: "Qwen3-VL Desktop"; Flags: uninsdeletekey; Tasks: openwith
Root: HKA; Subkey: "Software\Classes\Applications\{#Program}.exe\shell\open\command"; ValueType: string; ValueData: """{app}\{#Program}.exe"" ""%1"""; Tasks: openwith
#include Root + "\build\windows\file_types.iss"

[Run]
Filename: "{app}\{#Program}.exe"; Description: "{cm:LaunchProgram,Qwen3-VL Desktop}"; Flags: nowait postinstall skipifsilent
